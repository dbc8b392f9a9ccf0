"""Driving an execution: from wherever it stands, node by node, until it ends, waits, or is taken away."""

import logging
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from security import request_id, withheld
from security.identifiers import uuid7
from workflows.clipping import clipped_each
from workflows.engine import activities, moves, sharing, store
from workflows.engine.activities import Line
from workflows.engine.moves import Fail, Finish, Go, Move, NodeResult
from workflows.engine.states import Status
from workflows.engine.store import Fenced, Held, PointRow, Seen, StepRow
from workflows.engine.watch import watch
from workflows.engine.work import Interrupt, Interrupted, NodeFailed, Waiting, Work
from workflows.graph.shapes import Graph, Node, Settings
from workflows.models import Checkpoint, Execution, Workflow
from workflows.nodes import kinds
from workflows.secrets import Secrets

logger = logging.getLogger(__name__)

# Of one variable in the row of the step that gave it, and of all, in characters; the run's variables hold them whole.
MOST_OF_OUTPUT = (50_000, 200_000)


def drive(execution_id: UUID) -> bool:
    """Take the execution up and go on with it. False where it is not to run, or somebody else has it."""
    held = store.claim(execution_id)
    if held is None:
        return False
    try:
        _Run(held).go()
    except Fenced:
        logger.info("Execution %s was taken away or ended under fence %s", held.id, held.fence)
    # Those of a run that only waits are not touched.
    sharing.write_back(held.id)
    return True


class _Run:
    """A held execution. `execution` is kept as the row is after each commit, so that it is read once."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self.execution = Execution.objects.select_related("workflow").get(pk=held.id)
        self.adopt(self.execution.workflow)
        self.secrets = Secrets.of(self.execution.profile_id)
        self.interrupt = Interrupt()
        self.taking_over = True
        self.told = False
        self.began = time.monotonic()
        self.before = self.execution.active_seconds

    def adopt(self, workflow: Workflow) -> None:
        """Go by this version from here on."""
        self.graph: Graph = workflow.drawn
        self.settings = Settings.model_validate(workflow.settings)

    @property
    def active_seconds(self) -> float:
        return self.before + time.monotonic() - self.began

    def go(self) -> None:
        left = self.settings.max_timeout_mins * 60 - self.active_seconds
        with withheld.from_logs(self.secrets.hide), watch.over(self.held, self.interrupt, left):
            if self.held.attempts > settings.WORKFLOW_MOST_ATTEMPTS:
                self.fail(
                    f"Its worker was lost {self.held.attempts - 1} times in a row at the same step, so it was given up."
                )
                return
            if self.execution.step_count == 0:
                sharing.restore(self.execution)
            node = moves.node_of(self.graph, self.execution.node_id) or moves.start_of(self.graph)
            while True:
                on = self.visit(node)
                if on is None:
                    return
                node = on

    def visit(self, node: Node) -> Node | None:
        """Carry the node out and commit what came of it. The next node, or nothing where the run ends or waits here."""
        number = self.execution.step_count + 1
        if number > self.settings.max_iterations:
            self.end(Status.CANCELLED, [activities.cancelled("max_steps")])
            return None
        began = time.monotonic()
        try:
            self.interrupt.check()
            given = self.carry_out(node, number)
        except Interrupted as stop:
            return self.stop(stop, node)
        except Waiting as wait:
            return self.wait(wait, node)
        except NodeFailed as failure:
            self.fail(str(failure))
            return None
        return self.advance(node, number, given, time.monotonic() - began)

    def carry_out(self, node: Node, number: int) -> NodeResult:
        kind = kinds.find(node.type)
        if kind is None:
            raise NodeFailed(f"“{node.name}” is of type {node.type}, which this installation does not carry out yet.")
        checkpoints: list[Checkpoint] = []
        if self.taking_over:
            # Only a step at which a run is taken up, or goes on from a pause, can have been begun before.
            self.taking_over = False
            checkpoints = list(Checkpoint.objects.filter(execution_id=self.held.id, step=number).order_by("number"))
        work = Work(
            held=self.held,
            execution=self.execution,
            graph=self.graph,
            node=node,
            step=number,
            interrupt=self.interrupt,
            seconds_left=self.settings.max_timeout_mins * 60 - self.active_seconds,
            checkpoints=checkpoints,
            secrets=self.secrets,
            told=bool(checkpoints),
        )
        try:
            given = kind(work)
            self.told = work.told
            return given
        except (Interrupted, Waiting, NodeFailed, Fenced, OperationalError, InterfaceError):
            raise
        except Exception as fault:  # a fault of ours ends this run and no other; people are told where to look
            logger.exception("“%s” of execution %s failed", node.name, self.held.id)
            where = request_id.current() or self.held.id
            raise NodeFailed(
                f"Something failed on our side in “{node.name}”. It is in the log under {where}."
            ) from fault

    def advance(self, node: Node, number: int, given: NodeResult, seconds: float) -> Node | None:
        """Find where the run goes from here, and commit that together with the step."""
        given = self.secrets.hide_in(given)
        move = moves.next_move(self.graph, node, given)
        if not (isinstance(move, Go) and move.confirm):
            return self.commit(node, number, given, seconds, move)
        # Nobody wishes anything between this look and the question: it would be lost.
        with store.holding(self.held) as seen:
            if seen.wanted == Status.CANCELLED:
                move = replace(move, confirm=False)
            return self.commit(node, number, given, seconds, move)

    def commit(self, node: Node, number: int, given: NodeResult, seconds: float, move: Move) -> Node | None:
        output = clipped_each(given.variables, *MOST_OF_OUTPUT)
        row = StepRow(number, node.id, node.name, node.type, output, given.summary, given.succeeded, seconds)
        variables = {**self.execution.variables, **given.variables}
        changes: dict[str, Any] = {"active_seconds": self.active_seconds, "waiting_for": None}
        if given.variables:
            changes["variables"] = variables
        lines = [*([] if self.told else [activities.step_started(number)]), activities.step_completed(number)]
        match move:
            case Finish(ending):
                changes |= {
                    "status": Status.COMPLETED,
                    "wanted": "",
                    "outcome": ending.outcome,
                    "reasoning": ending.reasoning,
                    "result": ending.result,
                    "result_id": uuid7(),
                }
                lines.append(activities.completed(ending.outcome, ending.reasoning, ending.result))
            case Fail(reason):
                changes |= {"status": Status.FAILED, "wanted": "", "failure": reason}
                lines.append(activities.failed(reason))
            case Go(transition, target, confirm):
                changes["node_id"] = target.id
                lines.append(
                    activities.transitioned(
                        node_id=target.id,
                        name=target.name,
                        node_type=target.type,
                        transition_type=transition.type,
                        seconds=seconds,
                        output=given.variables,
                        summary=given.summary,
                    )
                )
                if confirm:
                    reason = f"Continue from “{node.name}” to “{target.name}”?"
                    changes |= {
                        "status": Status.AWAITING_CONFIRMATION,
                        "wanted": "",
                        "waiting_for": {"reason": reason, "transitionId": transition.id},
                    }
                    lines.append(activities.awaiting_confirmation(reason))
        seen = store.commit_step(self.held, row, changes, lines)
        self.execution.variables, self.execution.step_count = variables, number
        self.execution.waiting_for = None
        self.held = Held(self.held.id, self.held.fence, 1)
        if not isinstance(move, Go) or move.confirm:
            return None
        self.execution.node_id = move.node.id
        return self.heed(seen, move.node)

    def heed(self, seen: Seen, node: Node) -> Node | None:
        """Do what people wanted meanwhile, before the next step."""
        if seen.wanted == Status.PAUSED:
            return self.stop(Interrupted("paused"), node)
        if seen.wanted == Status.CANCELLED:
            return self.stop(Interrupted("cancelled"), node)
        if seen.sync_to is not None:
            return self.follow(seen.sync_to, node)
        return node

    def follow(self, workflow_id: UUID, node: Node) -> Node | None:
        """Go by another version from this step on, at the node of the same id."""
        workflow = Workflow.objects.get(pk=workflow_id)
        self.execution.workflow = workflow
        self.adopt(workflow)
        target = moves.node_of(self.graph, node.id)
        line = activities.generic(f"From here on by {workflow}.")
        store.commit(self.held, {"workflow_id": workflow.pk, "sync_to_id": None}, [line])
        if target is None:
            self.fail(f"{workflow} has no node {node.id}, where the execution was.")
        return target

    def stop(self, stop: Interrupted, node: Node) -> Node | None:
        """End, or give the run back. The node once more where people took their pause back meanwhile."""
        match stop.reason:
            case "fenced":
                raise Fenced(f"Execution {self.held.id} was taken away.")
            case "paused":
                return self.pause(node)
            case "cancelled":
                self.end(Status.CANCELLED, [activities.cancelled("user_requested")])
            case "timeout":
                self.end(Status.CANCELLED, [activities.cancelled("timeout")])
        return None

    def pause(self, node: Node) -> Node | None:
        # What people want next finds the run paused.
        with store.holding(self.held) as seen:
            if seen.wanted == Status.CANCELLED:
                self.end(Status.CANCELLED, [activities.cancelled("user_requested")])
                return None
            if seen.wanted == Status.PAUSED:
                self.give_back(Status.PAUSED, [activities.paused("A person paused it.")], wanted="")
                return None
        self.interrupt.take_back()
        self.taking_over = True
        return node

    def wait(self, wait: Waiting, node: Node) -> Node | None:
        """Give the run back until what it waits for has come, unless people want something else of it by now."""
        with store.holding(self.held) as seen:
            if not seen.wanted:
                self.ask(wait)
                return None
        return self.heed(seen, node)

    def ask(self, wait: Waiting) -> None:
        waiting = self.secrets.hide({"reason": wait.reason, "questions": wait.questions})
        line = activities.asked(**waiting) if wait.questions else activities.waits(waiting["reason"])
        self.give_back(
            Status.PAUSED_BY_AGENT,
            [line],
            waiting_for=waiting,
            wake_at=timezone.now() + timedelta(seconds=wait.seconds),
            point=wait.point,
        )

    def give_back(self, status: Status, lines: list[Line], *, point: PointRow | None = None, **changes: Any) -> None:
        store.commit(self.held, {"status": status, "active_seconds": self.active_seconds, **changes}, lines, point)

    def fail(self, reason: str) -> None:
        reason = self.secrets.hide(reason)
        self.end(Status.FAILED, [activities.failed(reason)], failure=reason)

    def end(self, status: Status, lines: list[Line], **changes: Any) -> None:
        self.give_back(status, lines, wanted="", **changes)
