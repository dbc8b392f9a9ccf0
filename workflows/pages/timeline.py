"""An execution's activities as people read them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows.engine.states import Status
from workflows.models import Activity

MEANINGS: dict[str, str] = {
    Status.STARTING: "info",
    Status.RUNNING: "info",
    Status.PAUSED: "warn",
    Status.PAUSED_BY_AGENT: "warn",
    Status.AWAITING_CONFIRMATION: "warn",
    Status.COMPLETED: "ok",
    Status.FAILED: "error",
    Status.CANCELLED: "",
}
CANCELLED_BY = {
    "user_requested": "A person cancelled it.",
    "timeout": "Its time was up.",
    "max_steps": "It had used up all of its steps.",
    "script_failed": "A script failed.",
}
# Of one line, in characters; what is longer is cut, and whole in the answer of executionActivitiesGet.
MOST_SHOWN = 4_000


@dataclass(frozen=True, slots=True)
class Told:
    """One line: what happened, in whose words, and what goes with it, as JSON."""

    number: int
    at: datetime
    what: str
    text: str = ""
    meaning: str = ""
    detail: str = ""


def told(activities: Iterable[Activity]) -> list[Told]:
    return [_told(activity) for activity in activities]


def _told(activity: Activity) -> Told:
    given: dict[str, Any] = activity.payload
    what, text, meaning, detail = _words(activity.type, given)
    return Told(activity.number, activity.at, what, cut(text), meaning, cut(_as_json(detail)))


def _words(kind: str, given: dict[str, Any]) -> tuple[str, str, str, Any]:
    """What happened, the words that go with it, how it is coloured, and the data behind it."""
    match kind:
        case "generic":
            return "Note", given.get("message", ""), "", None
        case "step_started":
            return f"Step {given.get('stepNumber')} began", "", "", None
        case "step_completed":
            return f"Step {given.get('stepNumber')} is done", "", "", None
        case "transitioned_node":
            found = {one["name"]: one["value"] for one in given.get("fromNodeOutput", [])}
            return f"On to “{given.get('newNodeName')}”", given.get("fromNodeSummary", ""), "", found
        case "action_started":
            return f"{given.get('actionName')} began", _more(given), "", given.get("info")
        case "action_completed":
            return f"{given.get('actionName')} is done", _more(given), "ok", given.get("info")
        case "action_failed":
            return f"{given.get('actionName')} failed", _more(given), "error", None
        case "reasoning":
            return "The model", given.get("reasoning", ""), "", None
        case "user_message_received":
            return "A person said", given.get("message", ""), "ok", None
        case "file_added":
            return "File added", given.get("fileName", ""), "", None
        case "todos_updated":
            todos = (f"{todo['content']} ({todo['status'].replace('_', ' ')})" for todo in given.get("todos", []))
            return "To be done", "\n".join(todos), "", None
        case "status_changed":
            return _status(given)
    return kind.replace("_", " ").capitalize(), str(given.get("message", "")), "", None


def _more(given: dict[str, Any]) -> str:
    """What is said of an action beyond its name."""
    message = str(given.get("message", ""))
    return "" if message == given.get("actionName") else message


def _status(given: dict[str, Any]) -> tuple[str, str, str, Any]:
    status = Status(given["status"])
    result = None
    match status:
        case Status.COMPLETED:
            ended = given.get("completedPayload", {})
            said = (str(ended.get(name, "")) for name in ("outcome", "reasoning"))
            text, result = ": ".join(part for part in said if part), ended.get("result")
        case Status.FAILED:
            text = given.get("failedPayload", {}).get("reason", "")
        case Status.CANCELLED:
            reason = given.get("cancelledPayload", {}).get("reason", "")
            text = CANCELLED_BY.get(reason, reason)
        case Status.AWAITING_CONFIRMATION:
            text = given.get("awaitingConfirmationPayload", {}).get("reason", "")
        case _:
            text = given.get("pausedPayload", {}).get("reason", "")
    return status.label, text, MEANINGS[status], result


def _as_json(detail: Any) -> str:
    return json.dumps(detail, ensure_ascii=False, indent=2) if detail not in (None, {}, []) else ""


def cut(text: str, most: int = MOST_SHOWN) -> str:
    """As far as one can be expected to read it on a page."""
    return text if len(text) <= most else f"{text[:most]} … ({len(text):,} characters)"
