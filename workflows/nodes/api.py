"""The api node: one HTTP request through the guard, whose answer the nodes after it can use."""

import json
from collections.abc import Mapping
from typing import Any

import httpx2

from security import outbound
from workflows.engine.activities import action_completed, action_failed, action_started
from workflows.engine.moves import NodeResult
from workflows.engine.work import NodeFailed, Work
from workflows.graph.placeholders import fill
from workflows.graph.properties import ApiCall
from workflows.models import Checkpoint
from workflows.secrets import UnknownSecret

ACTION = "ext_api_call"
# Methods whose request may be sent again (RFC 9110, section 9.2.2).
IDEMPOTENT = frozenset({"GET", "PUT", "DELETE"})
TRIES = 3
PAUSES = (0.5, 2.0)
# What an answer is kept of, in bytes.
BOUNDS = outbound.Bounds(total=60, wire_bytes=1_048_576, body_bytes=1_048_576)


def run_api(work: Work) -> NodeResult:
    """Send the request; a status from 400 on fails the node. The answer becomes variables named for the node.

    The request carries an `Idempotency-Key` made of execution, step and node: sent again after a crash, it is the same.
    """
    call = ApiCall.model_validate(work.node.properties)
    values = work.values
    # Secrets are put in first, so that none is in what comes with the values.
    try:
        filled = work.secrets.fill(call.model_dump(), work.secrets.named_in(call.model_dump_json()))
    except UnknownSecret as unknown:
        raise NodeFailed(f"“{work.node.name}”: {unknown}") from None
    url = fill(call.url, values)
    key = f"{work.id}/{work.step}/{work.node.id}"
    if any(point.kind == Checkpoint.Kind.ACTION_BEGUN for point in work.checkpoints) and call.method not in IDEMPOTENT:
        raise NodeFailed(
            f"{call.method} {url} had been sent when the worker was lost, and its outcome is not known. It is not sent "
            "again, for it may have been carried out."
        )
    work.checkpoint(
        Checkpoint.Kind.ACTION_BEGUN,
        {"key": key},
        action_id=ACTION,
        lines=[action_started(ACTION, key, f"{call.method} {url}")],
    )
    request = {
        "headers": {"Idempotency-Key": key, **_filled(filled["headers"], values)},
        "json": _filled(filled["body"], values) if call.method in {"POST", "PUT"} else None,
    }
    response = _sent(work, call.method, fill(filled["url"], values), request, key)
    milliseconds = int(response.elapsed.total_seconds() * 1000)
    if response.status_code >= 400:
        said = f"{call.method} {url} was answered {response.status_code}."
        work.tell(action_failed(ACTION, key, said, milliseconds))
        return NodeResult(succeeded=False, summary=said, variables=_variables(work, response))
    said = f"{response.status_code} {response.reason_phrase}".strip()
    work.tell(action_completed(ACTION, key, said, milliseconds))
    return NodeResult(variables=_variables(work, response), summary=said)


def _sent(work: Work, method: str, url: str, request: Mapping[str, Any], key: str) -> httpx2.Response:
    tries = TRIES if method in IDEMPOTENT else 1
    with outbound.client(BOUNDS) as client:
        for attempt in range(1, tries + 1):
            work.interrupt.check()
            try:
                response = client.request(method, url, **request)
            except httpx2.HTTPError as fault:
                if attempt == tries or isinstance(fault, outbound.OutboundRefused):
                    work.tell(action_failed(ACTION, key, str(fault), 0))
                    raise NodeFailed(f"{method} {url} could not be sent: {fault}") from None
            else:
                if response.status_code < 500 or attempt == tries:
                    return response
            work.interrupt.wait(PAUSES[attempt - 1])
    raise AssertionError("the last try returns or raises")


def _variables(work: Work, response: httpx2.Response) -> dict[str, Any]:
    return {work.node.name: {"status": response.status_code, "body": _body(response)}}


def _body(response: httpx2.Response) -> Any:
    """The answer as JSON where it is that, else as text."""
    try:
        return json.loads(response.text)
    except ValueError:
        return response.text


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, dict):
        return {name: _filled(inner, values) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    return value
