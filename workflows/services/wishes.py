"""What people ask of a running execution: pause, go on, cancel, and messages into it."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.models import User
from accounts.scopes import Scope
from agents_hub.models import Agent
from dashboard.streams.notices import notify
from security import audit
from workflows.engine import activities, moves, sharing
from workflows.engine.activities import Line
from workflows.engine.states import ASKABLE, Status, check
from workflows.engine.store import CHANNEL
from workflows.engine.watch import CONTROL
from workflows.models import Execution, UserMessage, Workflow
from workflows.secrets import Secrets
from workflows.services.executions import let_in_after_commit, lock_execution, missing_inputs, write_lines
from workflows.services.versions import find_version, refuse_drafts_for_others, refuse_faults

LONGEST_MESSAGE = 20_000


def ask_status(caller: Caller, *, execution_id: UUID, status: Status) -> str:
    """Pause, go on or cancel. What a worker has in hand stops at its next step; the rest changes now. Says which.

    `running` asked of one that awaits a confirmation confirms it, and `cancelled` refuses it.
    """
    caller.require(Scope.WRITE)
    if status not in ASKABLE:
        raise Invalid(f"Ask for {', '.join(sorted(ASKABLE))}; {status.value} comes by itself.")
    with transaction.atomic():
        execution = lock_execution(caller, execution_id)
        current = execution.state
        if current == status == Status.RUNNING and execution.wanted == Status.PAUSED:
            said = _take_back(execution)
        elif (current, status) == (Status.STARTING, Status.RUNNING):
            said = "The execution is waiting for a free slot, and runs as soon as it has one."
        else:
            check(current, status)
            if status == Status.PAUSED and execution.wanted == Status.CANCELLED:
                raise Conflict("The execution is being cancelled and can no longer be paused.", code="status")
            said = _change(execution, current, status)
        audit.record(
            "execution.status", caller=caller, target=f"execution:{execution.pk}", detail={"status": status.value}
        )
    return said


def add_message(caller: Caller, *, execution_id: UUID, text: str) -> str:
    """Say something into the execution: seen before its next step; where the agent asked, it is the answer."""
    caller.require(Scope.WRITE)
    text = text.strip()
    if not 1 <= len(text) <= LONGEST_MESSAGE:
        raise Invalid(f"A message has 1 to {LONGEST_MESSAGE:,} characters.", data={"field": "message"})
    with transaction.atomic():
        execution = lock_execution(caller, execution_id)
        if execution.state.is_terminal:
            raise Conflict(f"The execution is {execution.status} and takes no more messages.", code="status")
        text = Secrets.readable(execution.profile_id).hide(text)
        UserMessage.objects.create(execution=execution, user_id=caller.user_id, text=text)
        person = User.objects.only("uid").get(pk=caller.user_id)
        write_lines(execution, [activities.user_message(text, str(person.uid))])
        if execution.state == Status.PAUSED_BY_AGENT:
            resume(execution)
            said = "It answers what the agent waited for, and the execution continues."
        else:
            execution.save(update_fields=["activity_count"])
            said = "The agent sees it before its next step."
        _announce(execution)
        audit.record("execution.message", caller=caller, target=f"execution:{execution.pk}")
    return said


def sync(caller: Caller, *, agent_id: UUID, workflow_id: UUID, execution_id: UUID) -> Execution:
    """Have the execution go on by another version of its agent: from its next step on, or when it is taken up again."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        execution = lock_execution(caller, execution_id)
        # A version that is being deleted is gone by now, and this one is not deleted from now on.
        Agent.objects.select_for_update(no_key=True).get(pk=execution.agent_id)
        workflow = find_version(caller, workflow_id=workflow_id, agent_id=agent_id)
        if execution.agent_id != workflow.agent_id:
            raise NotFound("There is no such execution of this agent. executionsList lists them.")
        if execution.state.is_terminal:
            raise Conflict(f"The execution is {execution.status}; its version can no longer change.", code="status")
        refuse_drafts_for_others(caller, workflow, runner_id=execution.runner_id)
        refuse_faults(workflow)
        _refuse_misfit(execution, workflow)
        execution.sync_to = workflow
        write_lines(execution, [activities.generic(f"{workflow} will be used from the next step on.")])
        execution.save(update_fields=["sync_to", "activity_count"])
        _announce(execution)
        audit.record(
            "execution.sync",
            caller=caller,
            target=f"execution:{execution.pk}",
            detail={"workflow": str(workflow.pk)},
        )
    return execution


def _refuse_misfit(execution: Execution, workflow: Workflow) -> None:
    """Raise where the version asks for what the execution does not have, or has no node where it stands still."""
    missing = missing_inputs(workflow, {**execution.inputs, **execution.variables})
    if missing:
        raise Invalid(
            f"{workflow} asks for {', '.join(missing)}, which the execution was not given. Start a new execution with "
            "it, or give the version other placeholders.",
            code="missing_input",
            data={"missing": missing},
        )
    node_id = "" if _is_in_hand(execution) else _stands_at(execution)
    if node_id and moves.node_of(workflow.drawn, node_id) is None:
        raise Conflict(
            f"The execution is at the node {node_id}, which {workflow} does not have. Give the version a node with "
            "this id, or start a new execution.",
            code="node_missing",
            data={"nodeId": node_id},
        )


def _stands_at(execution: Execution) -> str:
    """The id of its node; nothing where it has not begun."""
    if execution.node_id or not execution.checkpoints.exists():
        return execution.node_id
    return moves.start_of(execution.workflow.drawn).id


def _is_in_hand(execution: Execution) -> bool:
    """Whether a worker has it."""
    return execution.state == Status.RUNNING and execution.lease_until is not None


def _change(execution: Execution, current: Status, status: Status) -> str:
    in_hand = _is_in_hand(execution)
    match status:
        case Status.CANCELLED if not in_hand:
            end(execution, Status.CANCELLED, [activities.cancelled("user_requested")])
            return "The execution is cancelled."
        case Status.RUNNING if execution.wanted == Status.PAUSED:
            # It was asked for during the step that ended with the question.
            write_lines(execution, [activities.status_changed(Status.RUNNING)])
            _pause(execution)
            return "Confirmed. The execution is paused, as was asked before."
        case Status.RUNNING:
            resume(execution)
            return "The execution continues."
        case Status.PAUSED if not in_hand:
            _pause(execution)
            return "The execution is paused."
    execution.wanted = status
    execution.save(update_fields=["wanted"])
    _announce(execution)
    return f"The execution will be {status.value} at its next step."


def _pause(execution: Execution) -> None:
    """Pause an execution that no worker has in hand. Its place, where it had one, is another's."""
    execution.status, execution.wanted = Status.PAUSED, ""
    execution.waiting_for = execution.admitted_at = None
    write_lines(execution, [activities.paused("A person paused it.")])
    execution.save()
    let_in_after_commit()


def _take_back(execution: Execution) -> str:
    execution.wanted = ""
    execution.save(update_fields=["wanted"])
    _announce(execution)
    return "The execution continues; it had not paused yet."


def resume(execution: Execution) -> None:
    """Have a waiting execution go on, once it has a place again. The caller holds its row."""
    execution.status, execution.wanted = Status.RUNNING, ""
    execution.waiting_for = execution.wake_at = execution.lease_until = execution.admitted_at = None
    # A worker that stalled since before the pause does not find the execution running and take it for its own.
    execution.fence += 1
    write_lines(execution, [activities.status_changed(Status.RUNNING)])
    execution.save()
    let_in_after_commit()


def end(execution: Execution, status: Status, lines: list[Line], *, failure: str = "") -> None:
    """End an execution that no worker has in hand. The caller holds its row."""
    execution.status, execution.terminal_at, execution.failure = status, timezone.now(), failure
    execution.wanted, execution.wake_at, execution.lease_until = "", None, None
    # Whoever claimed it all the same finds a fence that is not its own.
    execution.fence += 1
    write_lines(execution, lines)
    execution.save()
    transaction.on_commit(partial(sharing.write_back, execution.pk), robust=True)
    let_in_after_commit()


def _announce(execution: Execution) -> None:
    """Tell its worker, and those who look on."""
    notify(CONTROL, str(execution.pk))
    notify(CHANNEL, str(execution.pk))
