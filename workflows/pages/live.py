"""An execution's page while it goes on: the parts that change, and the stream that changes them."""

import hashlib
import json
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from accounts.page_caller import caller
from dashboard import streams
from dashboard.streams import Event, Reading, Subject
from workflows.engine import moves
from workflows.engine.states import Status
from workflows.engine.store import CHANNEL
from workflows.models import Execution, Workflow
from workflows.pages.drawing import draw
from workflows.pages.timeline import CANCELLED_BY, MEANINGS, cut, told
from workflows.services.executions import require_execution
from workflows.services.looking import Standing, look

# Of one value's JSON, in characters.
MOST_SHOWN = 20_000
# Pictures of graphs that are kept: a version never changes, and a run is drawn anew with each step.
PICTURES_KEPT = 128

# What people are offered in each status, by the status they ask for. The service decides what is allowed.
OFFERED: dict[Status, dict[Status, str]] = {
    Status.STARTING: {Status.CANCELLED: "Cancel"},
    Status.RUNNING: {Status.PAUSED: "Pause", Status.CANCELLED: "Cancel"},
    Status.PAUSED: {Status.RUNNING: "Resume", Status.CANCELLED: "Cancel"},
    Status.PAUSED_BY_AGENT: {Status.RUNNING: "Go on without an answer", Status.CANCELLED: "Cancel"},
    Status.AWAITING_CONFIRMATION: {Status.RUNNING: "Confirm", Status.CANCELLED: "Refuse"},
}


@require_GET
@login_required
def execution_stream(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Each line of the timeline once, and how the execution stands whenever that has changed."""
    check = partial(require_execution, caller(request), execution_id)
    check()
    return streams.answer(request, Subject(CHANNEL, str(execution_id), read, check))


def read(key: str, after: int) -> Reading:
    """For all who look on: nothing in it is made for one person."""
    seen = look(UUID(key), after)
    execution = seen.execution
    standing = render_to_string("workflows/standing.html", standing_of(execution, seen.standing))
    lines = [
        Event("append", render_to_string("workflows/told.html", {"one": one}), one.number)
        for one in told(seen.activities)
    ]
    pictures = [Event("morph", standing), Event("form", asks(execution))]
    return Reading([*pictures, *lines], last=execution.activity_count, is_over=execution.state.is_terminal)


def standing_of(execution: Execution, standing: Standing) -> dict[str, Any]:
    """What the templates of the changing parts are given."""
    return {
        "execution": execution,
        "status": execution.state,
        "meaning": MEANINGS[execution.state],
        "offered": _offered(execution),
        "graph": _graph(execution),
        "standing": standing,
        "cancelled": CANCELLED_BY.get(standing.cancelled_by, standing.cancelled_by),
        "result": shown(execution.result),
    }


def asks(execution: Execution) -> str:
    """Which form the page has for the execution now: none, that of a message, or that of these questions."""
    if execution.state.is_terminal:
        return ""
    questions = (execution.waiting_for or {}).get("questions")
    if execution.state != Status.PAUSED_BY_AGENT or not questions:
        return "message"
    return hashlib.sha256(json.dumps(questions, sort_keys=True).encode()).hexdigest()[:16]


def _graph(execution: Execution) -> str:
    """With the node where the run stands, or where it failed; with none once it has ended otherwise."""
    has_failed = execution.state == Status.FAILED
    is_somewhere = has_failed or not execution.state.is_terminal
    return picture(execution.workflow_id, execution.node_id if is_somewhere else None, has_failed)


@lru_cache(maxsize=PICTURES_KEPT)
def picture(workflow_id: UUID, node_id: str | None, has_failed: bool) -> str:
    """The version's graph with the node where a run stands or failed: at the start without an id, nowhere for None."""
    graph = Workflow.objects.only("graph").get(pk=workflow_id).drawn
    at = "" if node_id is None else node_id or moves.start_of(graph).id
    return render_to_string("workflows/graph.html", {"drawing": draw(graph, at, has_failed=has_failed)})


def shown(value: object) -> str:
    """As JSON for people, as far as one can be expected to read it on a page; nothing for nothing."""
    return cut(json.dumps(value, ensure_ascii=False, indent=2), MOST_SHOWN) if value not in (None, {}) else ""


def _offered(execution: Execution) -> dict[Status, str]:
    if execution.state == Status.RUNNING and execution.wanted == Status.PAUSED:
        return {Status.RUNNING: "Do not pause", Status.CANCELLED: "Cancel"}
    if execution.wanted == Status.CANCELLED:
        return {}
    return OFFERED.get(execution.state, {})
