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
from workflows.clipping import clipped_each
from workflows.engine import activities, moves, sharing, store
from workflows.engine.activities import Line
from workflows.engine.moves import Go, Move, NodeResult
from workflows.engine.outcomes import outcome_of, updated
from workflows.engine.reading import CannotRun, content_of, secrets_of
from workflows.engine.states import Status
from workflows.engine.store import Fenced, Held, PointRow, Seen, StepRow
from workflows.engine.watch import watch
from workflows.engine.work import Interrupt, Interrupted, NodeFailed, Waiting, Work
from workflows.engine.worktime import Slice, WorkTime
from workflows.graph.shapes import Node
from workflows.models import Checkpoint, Execution, Workflow
from workflows.nodes import kinds

logger = logging.getLogger(__name__)

# Of one variable in the row of the step that gave it, and of all, in characters; the run's variables hold them whole.
MOST_OF_OUTPUT = (50_000, 200_000)


def drive(execution_id: UUID) -> bool:
    """Take the execution up and go on with it. False where it is not to run, or somebody else has it."""
    held = store.claim(execution_id)
    if held is None:
        return False
    go_on(held)
    return True


def go_on(held: Held) -> bool:
    """Go on with an execution that was taken up. True where it gave way to others and waits for a worker again."""
    gave_way = False
    try:
        gave_way = _carried_on(held)
    except Fenced:
        logger.info("Execution %s was taken away or ended under fence %s", held.id, held.fence)
    # Those of a run that only waits are not touched.
    sharing.write_back(held.id)
    return gave_way


def _carried_on(held: Held) -> bool:
    """The same, where it is still held. Whatever goes wrong on our side ends this run, and no other."""
    if held.attempts > settings.WORKFLOW_MOST_ATTEMPTS:
        lost = held.attempts - 1
        _fail(held, f"Its worker was lost {lost} times in a row at the same step, so it was given up.")
        return False
    try:
        return _Run(held).go()
    except (Fenced, OperationalError, InterfaceError):
        raise
    except CannotRun as reason:
        logger.warning("Execution %s cannot run: %s", held.id, reason, exc_info=reason.__cause__)
        _fail(held, str(reason))
    except Exception:  # a fault of ours ends this run and no other; people are told where to look
        logger.exception("Execution %s failed", held.id)
        _fail(held, f"Something failed on our side. It is in the log under {request_id.current() or held.id}.")
    return False


def _fail(held: Held, reason: str) -> None:
    changes = {"status": Status.FAILED, "wanted": "", "failure": reason}
    store.commit(held, changes, [activities.failed(reason)])


class _Run:
    """A held execution. `execution` is kept as the row is after each commit, so that it is read once."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self.execution = Execution.objects.select_related("workflow").get(pk=held.id)
        self.adopt(self.execution.workflow)
        self.worktime = WorkTime(self.settings.max_timeout_mins * 60, self.execution.active_seconds)
        self.slice = Slice(held.id, self.execution.organization_id)
        self.secrets = secrets_of(self.execution.profile_id)
        self.interrupt = Interrupt()
        self.taking_over = True
        self.told = False
        self.gave_way = False

    def adopt(self, workflow: Workflow) -> None:
        """Go by this version from here on."""
        self.graph, self.settings = content_of(workflow)

    def go(self) -> bool:
        """Until it ends, waits, or gives way; whether it gave way."""
        with withheld.from_logs(self.secrets.hide), watch.over(self.held, self.interrupt, self.worktime):
            if self.execution.step_count == 0:
                sharing.restore(self.execution)
            # What people wanted while nobody had it comes before anything else.
            node = self.heed(Seen(self.execution.wanted, self.execution.sync_to_id), self.stands_at())
            while node is not None:
                node = self.visit(node)
        return self.gave_way

    def stands_at(self) -> Node:
        return moves.node_of(self.graph, self.execution.node_id) or moves.start_of(self.graph)

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
            worktime=self.worktime,
            slice=self.slice,
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
        outcome = outcome_of(move, node, given, seconds)
        output = clipped_each(given.variables, *MOST_OF_OUTPUT)
        row = StepRow(number, node.id, node.name, node.type, output, given.summary, given.succeeded, seconds)
        variables = {**self.execution.variables, **given.variables}
        changes = {"active_seconds": self.worktime.spent, "waiting_for": None, **outcome.changes}
        if given.variables:
            changes["variables"] = variables
        lines = [*([] if self.told else [activities.step_started(number)]), activities.step_completed(number)]
        seen = store.commit_step(self.held, row, changes, [*lines, *outcome.lines])
        self.execution.variables, self.execution.step_count = variables, number
        self.execution.waiting_for = None
        self.held = Held(self.held.id, self.held.fence, 1)
        if outcome.next is None:
            return None
        self.execution.node_id = outcome.next.id
        on = self.heed(seen, outcome.next)
        if on is not None and self.slice.is_over():
            self.give_way()
            return None
        return on

    def heed(self, seen: Seen, node: Node) -> Node | None:
        """Do what people wanted meanwhile, before the next step."""
        if seen.wanted == Status.PAUSED:
            return self.stop(Interrupted("paused"), node)
        if seen.wanted == Status.CANCELLED:
            return self.stop(Interrupted("cancelled"), node)
        return node if seen.sync_to is None else self.follow(node)

    def follow(self, node: Node) -> Node | None:
        """Go by the version that is wanted, at the node of the same id; one that has not begun begins at its start."""
        with store.holding(self.held) as seen:
            workflow = Workflow.objects.filter(pk=seen.sync_to).first() if seen.sync_to else None
            if workflow is None:
                return node
            before, self.execution.workflow = self.execution.workflow, workflow
            self.adopt(workflow)
            target = moves.node_of(self.graph, node.id) if self.has_begun() else moves.start_of(self.graph)
            changes = {"workflow_id": workflow.pk, "sync_to_id": None}
            store.commit(self.held, changes, updated(before, workflow))
            if target is None or (target.id, target.type) != (node.id, node.type):
                # What was begun of the step is of no use to a node that does something else.
                Checkpoint.objects.filter(execution_id=self.held.id).delete()
        self.worktime.most = self.settings.max_timeout_mins * 60
        watch.wake()
        if target is None:
            self.fail(f"{workflow} has no node {node.id}, where the execution was.")
        return target

    def has_begun(self) -> bool:
        """Whether it came to a node, or did anything in its first one."""
        return bool(self.execution.node_id) or Checkpoint.objects.filter(execution_id=self.held.id).exists()

    def stop(self, stop: Interrupted, node: Node) -> Node | None:
        """End, or give the run back. The node once more where people took their pause back meanwhile."""
        match stop.reason:
            case "fenced":
                raise Fenced(f"Execution {self.held.id} was taken away.")
            case "paused":
                return self.pause(node)
            case "turn_over" | "worker_ends":
                self.give_way()
            case "cancelled":
                self.end(Status.CANCELLED, [activities.cancelled("user_requested")])
            case "timeout":
                self.end(Status.CANCELLED, [activities.cancelled("timeout")])
        return None

    def pause(self, node: Node) -> Node | None:
        # What people want next finds the run paused.
        with store.holding(self.held) as seen:
            if self.is_granted(seen):
                return None
        self.interrupt.take_back()
        self.taking_over = True
        return node

    def give_way(self) -> None:
        """Have the worker go to whoever is next, and wait for one again; what people wanted meanwhile comes first."""
        with store.holding(self.held) as seen:
            if not self.is_granted(seen):
                store.give_way(self.held, {"active_seconds": self.worktime.spent})
                self.gave_way = True

    def is_granted(self, seen: Seen) -> bool:
        """Whether people wanted it to end or to pause, which it does. The row is held."""
        if seen.wanted == Status.CANCELLED:
            self.end(Status.CANCELLED, [activities.cancelled("user_requested")])
        elif seen.wanted == Status.PAUSED:
            self.give_back(Status.PAUSED, [activities.paused("A person paused it.")], wanted="")
        return seen.wanted in (Status.CANCELLED, Status.PAUSED)

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
        store.commit(self.held, {"status": status, "active_seconds": self.worktime.spent, **changes}, lines, point)

    def fail(self, reason: str) -> None:
        reason = self.secrets.hide(reason)
        self.end(Status.FAILED, [activities.failed(reason)], failure=reason)

    def end(self, status: Status, lines: list[Line], **changes: Any) -> None:
        self.give_back(status, lines, wanted="", **changes)
