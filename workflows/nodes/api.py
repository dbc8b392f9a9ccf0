"""The api node: one HTTP request through the guard, whose answer the nodes after it can use."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx2
from asgiref.sync import async_to_sync, sync_to_async

from security import outbound
from workflows.engine.activities import Line, action_completed, action_failed, action_started
from workflows.engine.moves import NodeResult
from workflows.engine.work import NodeFailed, Reason, Work
from workflows.graph.filling import NoValue, fill, fill_json, fill_url
from workflows.graph.properties import ApiCall
from workflows.graph.yields import variable_of
from workflows.models import Checkpoint
from workflows.nodes import keeping
from workflows.nodes.requests import (
    BOUNDS,
    FAULTS,
    FINAL,
    IDEMPOTENT,
    REDIRECTS,
    Unsendable,
    body_of,
    failure_of,
    headers_of,
    refusal_of,
)
from workflows.secrets import UnknownSecret

ACTION = "ext_api_call"
TRIES = 3
PAUSES = (0.5, 2.0)
# What the run goes on after, so that a request that was noted is sent.
SENT_ALL_THE_SAME: frozenset[Reason | None] = frozenset({"paused", "worker_ends"})
# What no answer is waited for any longer with: the run ends, or is somebody else's.
BROKEN_OFF_BY: frozenset[Reason | None] = frozenset({"cancelled", "timeout", "fenced"})


@dataclass(frozen=True, slots=True)
class _Request:
    """One request, with secrets and values in it. `shown` is how people are told of it, without secrets."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any
    key: str
    shown: str

    @property
    def may_be_repeated(self) -> bool:
        return self.method in IDEMPOTENT


def run_api(work: Work) -> NodeResult:
    """Send the request; a status from 400 on fails the node. The answer becomes a variable named for the node.

    The request carries an `Idempotency-Key` made of execution, step and node: sent again after a crash, it is the same.
    An answer is stored as soon as it is there, and whoever takes the run over goes on from it.
    """
    request = _request_of(work)
    answer = _stored(work) or _answer_to(work, request)
    if "fault" in answer:
        raise NodeFailed(f"{request.shown} {answer['fault']}")
    variables = {variable_of(work.node): {"status": answer["status"], "body": answer["body"]}}
    if said := keeping.refusal(work, variables):
        raise NodeFailed(f"“{work.node.name}” was answered too much: {said}")
    if answer["status"] >= 400:
        return NodeResult(succeeded=False, summary=_refusal(request, answer), variables=variables)
    return NodeResult(variables=variables, summary=f"{answer['status']} {answer['reason']}".strip())


def _request_of(work: Work) -> _Request:
    call = ApiCall.model_validate(work.node.properties)
    allowed = work.secrets.named_in(call.model_dump_json())
    key = f"{work.id}/{work.step}/{work.node.id}"
    try:
        # Secrets are put in first, so that none is in what comes with the values.
        headers = work.secrets.fill(call.headers, allowed)
        body = fill_json(work.secrets.fill(call.body, allowed), work.values) if call.method in {"POST", "PUT"} else None
        return _Request(
            method=call.method,
            url=fill_url(work.secrets.fill_url(call.url, allowed), work.values),
            headers=headers_of(key, {name: fill(value, work.values) for name, value in headers.items()}),
            body=body,
            key=key,
            shown=f"{call.method} {fill_url(call.url, work.values)}",
        )
    except (UnknownSecret, NoValue, Unsendable) as fault:
        raise NodeFailed(f"“{work.node.name}”: {fault}") from None


def _stored(work: Work) -> dict[str, Any] | None:
    """The answer that was there before a worker was lost."""
    found = (point.body for point in work.checkpoints if point.kind == Checkpoint.Kind.ACTION_DONE)
    return next(found, None)


def _answer_to(work: Work, request: _Request) -> dict[str, Any]:
    """Send the request and store what came of it, together with the activity that tells of it."""
    _begin(work, request)
    try:
        response = async_to_sync(_sent)(work, request)
    except FAULTS as fault:
        answer: dict[str, Any] = {"fault": failure_of(fault)}
    else:
        answer = {
            "status": response.status_code,
            "reason": response.reason_phrase,
            "body": body_of(response),
            "milliseconds": int(response.elapsed.total_seconds() * 1000),
        }
    # Hidden before anything is cut: half a value would not be known again.
    answer |= {name: work.secrets.hide(answer[name]) for name in ("fault", "reason", "body") if name in answer}
    point = work.checkpoint(Checkpoint.Kind.ACTION_DONE, answer, action_id=ACTION, lines=[_line_about(request, answer)])
    stored: dict[str, Any] = point.body
    return stored


def _begin(work: Work, request: _Request) -> None:
    """Note that the request is about to be sent. Once that is noted it is sent, unless the run ends with it: to stop in
    between would leave behind what looks like a request of unknown outcome."""
    if any(point.kind == Checkpoint.Kind.ACTION_BEGUN for point in work.checkpoints):
        if not request.may_be_repeated:
            raise NodeFailed(
                f"{request.shown} had been sent when the worker was lost, and its outcome is not known. It is not sent "
                "again, for it may have been carried out."
            )
        return
    work.interrupt.check()
    line = action_started(ACTION, request.key, request.shown)
    work.checkpoint(Checkpoint.Kind.ACTION_BEGUN, {"key": request.key}, action_id=ACTION, lines=[line])


async def _sent(work: Work, request: _Request) -> httpx2.Response:
    """Send it, and again where that does no harm. What ends the run breaks it off; anything else waits for its end."""
    sending, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert sending is not None

    def stop() -> None:
        if work.interrupt.reason in BROKEN_OFF_BY:
            with suppress(RuntimeError):  # it was answered meanwhile, and its loop has ended
                loop.call_soon_threadsafe(sending.cancel)

    work.interrupt.on(stop)
    try:
        return await _answered(work, request)
    except asyncio.CancelledError:
        work.interrupt.check()
        raise
    finally:
        work.interrupt.on(None)


async def _answered(work: Work, request: _Request) -> httpx2.Response:
    tries = TRIES if request.may_be_repeated else 1
    if work.interrupt.reason not in SENT_ALL_THE_SAME:
        work.interrupt.check()
    async with outbound.async_client(BOUNDS, redirects=REDIRECTS) as client:
        for attempt in range(1, tries + 1):
            try:
                response = await client.request(request.method, request.url, headers=request.headers, json=request.body)
            except httpx2.HTTPError as fault:
                if attempt == tries or isinstance(fault, FINAL):
                    raise
            else:
                if response.status_code < 500 or attempt == tries:
                    return response
            await sync_to_async(work.interrupt.wait)(PAUSES[attempt - 1])
    raise AssertionError("the last try returns or raises")


def _line_about(request: _Request, answer: Mapping[str, Any]) -> Line:
    if "fault" in answer:
        return action_failed(ACTION, request.key, answer["fault"], 0)
    if answer["status"] >= 400:
        return action_failed(ACTION, request.key, _refusal(request, answer), answer["milliseconds"])
    said = f"{answer['status']} {answer['reason']}".strip()
    return action_completed(ACTION, request.key, said, answer["milliseconds"])


def _refusal(request: _Request, answer: Mapping[str, Any]) -> str:
    return f"{request.shown} {refusal_of(answer['status'], answer['body'])}"
