"""The activities of an execution, in the contract's shapes."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from workflows.clipping import clipped_each
from workflows.engine.states import Status

# Of one variable and of all that a step gave, in characters; the run's variables hold them whole.
MOST_SHOWN = (10_000, 50_000)


@dataclass(frozen=True, slots=True)
class Line:
    """One activity to be: its type, and what the contract says goes with that type."""

    type: str
    payload: dict[str, Any]
    display: dict[str, Any] | None = None


FileSource = Literal["upload", "download", "agent"]
CancelReason = Literal["timeout", "max_steps", "user_requested", "script_failed"]


def generic(message: str) -> Line:
    return Line("generic", {"message": message})


def workflow_updated(updates: list[dict[str, Any]]) -> Line:
    """What is other in the version that the run goes on by, one entry for each part of the graph and for the rules."""
    return Line("workflow_updated", {"workflowUpdate": updates})


def step_started(number: int) -> Line:
    return Line("step_started", {"stepNumber": number})


def step_completed(number: int) -> Line:
    return Line("step_completed", {"stepNumber": number})


def transitioned(
    *,
    node_id: str,
    name: str,
    node_type: str,
    transition_type: str | None,
    seconds: float,
    output: dict[str, Any],
    summary: str,
) -> Line:
    """On to the node named; the rest is about the one that was left. `seconds` it took."""
    payload: dict[str, Any] = {
        "newNodeUUID": node_id,
        "newNodeName": name,
        "newNodeType": node_type,
        "fromNodeDuration": round(seconds, 3),
        "transitionType": transition_type,
        "fromNodeOutput": [{"name": key, "value": value} for key, value in clipped_each(output, *MOST_SHOWN).items()],
        "fromNodeSummary": summary or None,
    }
    return Line("transitioned_node", {key: value for key, value in payload.items() if value is not None})


def status_changed(status: Status, **payload: Any) -> Line:
    return Line("status_changed", {"status": status.value, **payload})


def completed(outcome: str, reasoning: str, result: Any) -> Line:
    ended: dict[str, Any] = {"outcome": outcome, "reasoning": reasoning}
    if result is not None:
        ended["result"] = result
    return status_changed(Status.COMPLETED, completedPayload=ended)


def failed(reason: str) -> Line:
    return status_changed(Status.FAILED, failedPayload={"reason": reason})


def cancelled(reason: CancelReason) -> Line:
    return status_changed(Status.CANCELLED, cancelledPayload={"reason": reason})


def paused(reason: str) -> Line:
    return status_changed(Status.PAUSED, pausedPayload={"reason": reason})


def asked(reason: str, questions: list[dict[str, Any]]) -> Line:
    return status_changed(
        Status.PAUSED_BY_AGENT, pausedPayload={"reason": reason, "question": {"questions": questions}}
    )


def waits(reason: str) -> Line:
    return status_changed(Status.PAUSED_BY_AGENT, pausedPayload={"reason": reason})


def awaiting_confirmation(reason: str) -> Line:
    return status_changed(Status.AWAITING_CONFIRMATION, awaitingConfirmationPayload={"reason": reason})


def action_started(name: str, action_id: str, message: str, info: Any = None) -> Line:
    return _action("action_started", name, action_id, message, info=info)


def action_completed(name: str, action_id: str, message: str, milliseconds: int, info: Any = None) -> Line:
    return _action("action_completed", name, action_id, message, duration=milliseconds, info=info)


def action_failed(name: str, action_id: str, message: str, milliseconds: int) -> Line:
    return _action("action_failed", name, action_id, message, duration=milliseconds)


def user_message(text: str, user_uid: str) -> Line:
    return Line("user_message_received", {"message": text, "userUUID": user_uid})


def file_added(*, file_id: UUID, name: str, mime_type: str, size: int, source: FileSource) -> Line:
    """The link to it is made for each reader (`workflows.shapes.executions`)."""
    payload = {"fileId": str(file_id), "fileName": name, "mimeType": mime_type, "fileSize": size, "source": source}
    return Line("file_added", payload)


def _action(kind: str, name: str, action_id: str, message: str, **more: Any) -> Line:
    payload = {"message": message, "actionName": name, "actionId": action_id}
    return Line(kind, payload | {key: value for key, value in more.items() if value is not None})
