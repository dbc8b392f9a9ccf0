"""The sandbox as an ASGI application: signing in, limits, failures on demand, the log, and the way to the endpoints."""

import asyncio
import json
import time
from collections import deque
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from bots.discord.rest.errors import JsonCode
from bots.discord.sandbox.calls import Call
from bots.discord.sandbox.endpoints import ENDPOINTS, Endpoint
from bots.discord.sandbox.faults import Fault, Faults
from bots.discord.sandbox.fields import Fields
from bots.discord.sandbox.limits import Limits, Verdict, too_many
from bots.discord.sandbox.refusals import RefusedError, invalid
from bots.discord.sandbox.world import World

PREFIX = "/api/v10"
LOG_LENGTH = 10_000
MAX_BODY_BYTES = 1_048_576
SANDBOX_HEADERS = {"X-Discord-Sandbox": "true", "Via": "1.1 sandbox"}
_MAJOR = ("guild", "channel")


class LoggedRequest(BaseModel):
    """One request as the sandbox saw it; `status` is 0 where the connection was broken on demand."""

    at: float
    method: str
    path: str
    status: int
    bot_id: str | None
    reason: str | None
    body: Any


class Sandbox:
    """The running state: the world and its file, limits, pending faults, and the log of requests."""

    def __init__(self, world: World, *, state: Path | None = None) -> None:
        self.world = world
        self.state = state
        self.limits = Limits()
        self.faults = Faults()
        self.log: deque[LoggedRequest] = deque(maxlen=LOG_LENGTH)

    def changed(self) -> None:
        """Write the world to its file, where it has one."""
        if self.state is not None:
            self.world.save(self.state)

    def application(self, control: list[BaseRoute]) -> Starlette:
        """The application: Discord's endpoints below /api/v10, and the routes that steer the sandbox below /sandbox."""
        templates = sorted({each.template for each in ENDPOINTS}, key=lambda template: "{" in template)
        routes = [
            Route(PREFIX + template, _Resource(self, template).answer, methods=_METHODS_OF[template])
            for template in templates
        ]
        return Starlette(
            routes=[*routes, Mount("/sandbox", routes=control)],
            # A page in somebody's browser may know this port; it cannot name this host.
            middleware=[
                Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)
            ],
            exception_handlers={HTTPException: _as_discord_says},
        )


_METHODS_OF = {
    template: [each.method for each in ENDPOINTS if each.template == template]
    for template in {each.template for each in ENDPOINTS}
}


class _Resource:
    """All endpoints of one path."""

    def __init__(self, sandbox: Sandbox, template: str) -> None:
        self._sandbox = sandbox
        self._endpoints = {each.method: each for each in ENDPOINTS if each.template == template}

    async def answer(self, request: Request) -> Response:
        sandbox, path = self._sandbox, request.url.path.removeprefix(PREFIX)
        body = await request.body()
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        bot_id = sandbox.world.bot_of(token) if kind == "Bot" else None
        fault = sandbox.faults.next_for(request.method, path)
        response = await self._respond(request, body, token, bot_id, fault)
        logged = LoggedRequest(
            at=time.time(),
            method=request.method,
            path=path,
            status=response.status_code if response else 0,
            bot_id=str(bot_id) if bot_id else None,
            reason=_reason(request),
            body=_json(body),
        )
        sandbox.log.append(logged)
        if response is None:
            await _break_connection(request)
            return Response()
        response.headers.update(SANDBOX_HEADERS)
        return response

    async def _respond(
        self, request: Request, body: bytes, token: str, bot_id: int | None, fault: Fault | None
    ) -> Response | None:
        """The answer, or None for a connection to break."""
        if fault and fault.delay_seconds:
            await asyncio.sleep(fault.delay_seconds)
        if fault and fault.drop == "before":
            return None
        if fault and fault.status is not None:
            return (
                JSONResponse(fault.body, fault.status) if fault.body is not None else Response(status_code=fault.status)
            )
        if fault and fault.retry_after is not None:
            return _too_many_response(too_many(fault.retry_after, scope=fault.scope))
        if bot_id is None:
            return _error(401, "401: Unauthorized")
        endpoint = self._endpoints["GET" if request.method == "HEAD" else request.method]
        verdict = self._sandbox.limits.count(token, endpoint, _major(request))
        if verdict.retry_after is not None:
            return _too_many_response(verdict)
        response = self._carry_out(endpoint, request, body, bot_id)
        response.headers.update(verdict.headers)
        return None if fault and fault.drop == "after" else response

    def _carry_out(self, endpoint: Endpoint, request: Request, body: bytes, bot_id: int) -> Response:
        try:
            if not request.headers.get("User-Agent", "").startswith("DiscordBot ("):
                raise RefusedError(JsonCode.CLOUDFLARE)
            answer = endpoint.answer(self._call(request, body, bot_id))
        except RefusedError as refused:
            return JSONResponse(refused.body, refused.status)
        if endpoint.method != "GET":
            self._sandbox.changed()
        return Response(status_code=204) if answer is None else JSONResponse(answer)

    def _call(self, request: Request, body: bytes, bot_id: int) -> Call:
        path = Fields(request.path_params)
        fields = _json(body)
        if body and not isinstance(fields, dict):
            raise invalid("body", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        reason = _reason(request)
        if reason is not None and len(reason) > 512:
            raise invalid("X-Audit-Log-Reason", "BASE_TYPE_BAD_LENGTH", "Must be 512 or fewer in length.")
        return Call(
            world=self._sandbox.world,
            bot_id=bot_id,
            ids={name: path.snowflake(name) or 0 for name in request.path_params},
            query=Fields(request.query_params),
            body=Fields(fields or {}),
            reason=reason,
        )


def _reason(request: Request) -> str | None:
    return unquote(request.headers.get("X-Audit-Log-Reason", "")) or None


def _major(request: Request) -> int:
    ids = [request.path_params[name] for name in _MAJOR if name in request.path_params]
    return int(ids[0]) if ids and ids[0].isdigit() else 0


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _error(status: int, message: str) -> Response:
    return JSONResponse({"message": message, "code": 0}, status)


def _too_many_response(verdict: Verdict) -> Response:
    body = {
        "message": "You are being rate limited.",
        "retry_after": verdict.retry_after,
        "global": verdict.everywhere,
        "code": 0,
    }
    return JSONResponse(body, 429, headers=verdict.headers)


def _as_discord_says(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _error(error.status_code, f"{error.status_code}: {error.detail}")
    response.headers.update(SANDBOX_HEADERS)
    return response


async def _break_connection(request: Request) -> None:
    """Close the socket without a word, and wait until the server has noticed."""
    request.scope["state"]["transport"].abort()
    while (await request.receive())["type"] != "http.disconnect":
        pass
