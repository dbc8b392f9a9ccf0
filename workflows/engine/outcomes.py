"""What a commit writes of where a run goes: the execution's columns and the activities. Pure, from the move."""

from dataclasses import dataclass
from typing import Any

from security.identifiers import uuid7
from workflows.engine import activities
from workflows.engine.activities import Line
from workflows.engine.moves import Fail, Finish, Go, Move, NodeResult
from workflows.engine.states import Status
from workflows.graph.diff import Change, difference
from workflows.graph.shapes import Node
from workflows.models import Workflow

UPDATES = {"added": "add", "changed": "edit", "removed": "delete"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`next` is the node where the run goes on at once; none where it ends or waits for a person."""

    changes: dict[str, Any]
    lines: list[Line]
    next: Node | None = None


def outcome_of(move: Move, left: Node, given: NodeResult, seconds: float) -> Outcome:
    """What becomes of a run that left a node, where it was for so many seconds."""
    match move:
        case Finish(ending):
            changes = {
                "status": Status.COMPLETED,
                "wanted": "",
                "outcome": ending.outcome,
                "reasoning": ending.reasoning,
                "result": ending.result,
                "result_id": uuid7(),
            }
            return Outcome(changes, [activities.completed(ending.outcome, ending.reasoning, ending.result)])
        case Fail(reason):
            changes = {"status": Status.FAILED, "wanted": "", "failure": reason}
            return Outcome(changes, [activities.failed(reason)])
        case Go(transition, target, confirm):
            line = activities.transitioned(
                node_id=target.id,
                name=target.name,
                node_type=target.type,
                transition_type=transition.type,
                seconds=seconds,
                output=given.variables,
                summary=given.summary,
            )
            if not confirm:
                return Outcome({"node_id": target.id}, [line], target)
            reason = f"Continue from “{left.name}” to “{target.name}”?"
            # A pause that was asked for stays, and comes about once a person has confirmed.
            changes = {
                "node_id": target.id,
                "status": Status.AWAITING_CONFIRMATION,
                "waiting_for": {"reason": reason, "transitionId": transition.id},
            }
            return Outcome(changes, [line, activities.awaiting_confirmation(reason)])


def updated(before: Workflow, after: Workflow) -> list[Line]:
    """The activities of a run that goes on by another version: which it is, and what is other in it."""
    found = difference(before.content, after.content)
    parts = [("nodeDetails", change) for change in found.nodes]
    parts += [("transitionDetails", change) for change in found.transitions]
    updates: list[dict[str, Any]] = [
        {"updateType": UPDATES[change.kind], name: _details(change)} for name, change in parts
    ]
    if found.rules:
        kind = "edit" if before.rules and after.rules else "add" if after.rules else "delete"
        updates.append({"updateType": kind, "rulesDetails": {"rules": after.rules}})
    said = activities.generic(f"Continuing with {after} from here on.")
    return [said, activities.workflow_updated(updates)] if updates else [said]


def _details(change: Change) -> dict[str, Any]:
    return {"id": change.id, "name": change.name}
