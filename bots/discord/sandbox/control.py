"""Steering the sandbox over HTTP, below /sandbox: its world, the failures to come, and the log of requests."""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bots.discord.sandbox.app import LoggedRequest, Sandbox
from bots.discord.sandbox.faults import Fault
from bots.discord.sandbox.world import World


def routes(sandbox: Sandbox) -> list[BaseRoute]:
    """GET and PUT /world; POST and DELETE /faults; GET and DELETE /requests."""

    async def world(request: Request) -> Response:
        if request.method == "PUT":
            sandbox.world = World.model_validate_json(await request.body())
            sandbox.changed()
        return _json(sandbox.world)

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            sandbox.faults.clear()
            return Response(status_code=204)
        fault = Fault.model_validate_json(await request.body())
        sandbox.faults.add(fault)
        return _json(fault)

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            sandbox.log.clear()
            return Response(status_code=204)
        log = TypeAdapter(list[LoggedRequest]).dump_json(list(sandbox.log))
        return Response(log, media_type="application/json")

    return [
        Route("/world", _guarded(world), methods=["GET", "PUT"]),
        Route("/faults", _guarded(faults), methods=["POST", "DELETE"]),
        Route("/requests", _guarded(requests), methods=["GET", "DELETE"]),
    ]


def _guarded(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Refuse what a page in a browser could send here by itself, and say what in a body does not fit."""

    async def guarded(request: Request) -> Response:
        if "origin" in request.headers:
            return JSONResponse({"message": "The sandbox is not steered from web pages."}, 403)
        try:
            return await answer(request)
        except ValidationError as error:
            return JSONResponse({"message": f"This does not fit: {error}"}, 422)

    return guarded


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), media_type="application/json")
