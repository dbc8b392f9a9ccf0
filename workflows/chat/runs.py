"""Running a workflow from a chat, waiting for its end where that is asked, and looking at a run later."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from accounts.caller import Caller
from accounts.errors import DomainError, Invalid, NotFound
from agents_hub.chat.sources import CallContext, ChatTool, ToolOutcome
from agents_hub.models import Agent
from mcp_gateway.offload import in_domain
from mcp_gateway.remote.services.tools import digest_of
from security.identifiers import uuid_or_none
from workflows.engine.states import TERMINAL, Status
from workflows.models import Execution, Trigger, Workflow
from workflows.services.executions import execute_once, find_execution
from workflows.task.actions import clipped

NAME, LABEL = "workflows", "Workflows"
LOOK = "look_at_run"
LOOK_ABOUT = (
    "Look at a run of a workflow by its executionId: its status, its result once it has ended, and what it waits for "
    "where it waits for a person."
)
NO_RUN = (
    "There is no such run of a workflow that this agent was given. Give the executionId that running the workflow gave."
)
LONGEST_WAIT_SECONDS = 120
# How soon a run that is waited for is looked at, and how seldom in the end.
FIRST_LOOK_SECONDS, LAST_LOOK_SECONDS = 0.1, 2.0


@dataclass(frozen=True, slots=True)
class Runnable:
    """An agent and the version that is in force of its workflow."""

    agent: Agent
    workflow_id: UUID
    version: int | None

    @property
    def inputs(self) -> tuple[str, ...]:
        return _inputs_of(self.workflow_id)

    @property
    def about(self) -> str:
        told = self.agent.description.strip() or "It has no description."
        return (
            f"Run the workflow of “{self.agent.name}” (version {self.version}). {told} This starts an execution, which "
            f"runs by itself; {LOOK} shows its status."
        )


def run_tool(name: str, runnable: Runnable) -> ChatTool:
    parameters = _parameters(runnable.inputs)

    async def perform(arguments: Mapping[str, Any], context: CallContext) -> ToolOutcome:
        try:
            inputs, seconds = _read(arguments, runnable.inputs)
            execution_id = await _started(runnable.agent.pk, inputs, context)
            await _end_of(context.caller, execution_id, seconds)
            execution = await in_domain(find_execution, context.caller, execution_id)
        except DomainError as error:
            return ToolOutcome.said(error.message, failed=True)
        return _told(execution, failed=execution.state == Status.FAILED)

    return ChatTool(
        name=name,
        title=f"Run {runnable.agent.name}"[:200],
        description=runnable.about,
        parameters=parameters,
        origin=NAME,
        origin_name=LABEL,
        tool=str(runnable.agent.pk),
        perform=perform,
        # Made again with the same key, the call finds the execution that it started.
        repeatable=True,
        digest=digest_of({"name": name, "description": runnable.about, "inputSchema": parameters}),
    )


def look_tool(agents: frozenset[UUID]) -> ChatTool:
    async def perform(arguments: Mapping[str, Any], context: CallContext) -> ToolOutcome:
        given = arguments.get("executionId")
        wanted = uuid_or_none(given) if isinstance(given, str) else None
        try:
            execution = await in_domain(find_execution, context.caller, wanted) if wanted else None
        except NotFound:
            execution = None
        except DomainError as error:
            return ToolOutcome.said(error.message, failed=True)
        if execution is None or execution.agent_id not in agents:
            return ToolOutcome.said(NO_RUN, failed=True)
        return _told(execution)

    parameters = {
        "type": "object",
        "properties": {
            "executionId": {"type": "string", "description": "As the run was given it when it was started."}
        },
        "required": ["executionId"],
        "additionalProperties": False,
    }
    return ChatTool(
        name=LOOK,
        title="Look at a run",
        description=LOOK_ABOUT,
        parameters=parameters,
        origin=NAME,
        origin_name=LABEL,
        tool=LOOK,
        perform=perform,
        repeatable=True,
        digest=digest_of({"name": LOOK, "description": LOOK_ABOUT, "inputSchema": parameters}),
    )


async def _started(agent_id: UUID, inputs: Mapping[str, Any], context: CallContext) -> UUID:
    """Start the run, and say so at once: whoever stops this call does not stop what it has started."""
    starting = asyncio.ensure_future(in_domain(_start, agent_id, inputs, context))
    try:
        execution_id = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # The thread that starts it cannot be called back, and is done in milliseconds.
        context.say(_said_of(await starting))
        raise
    context.say(_said_of(execution_id))
    return execution_id


def _start(agent_id: UUID, inputs: Mapping[str, Any], context: CallContext) -> UUID:
    by_a_program = context.caller.api_key_id is not None
    trigger = Trigger.API if by_a_program else Trigger.UI
    return execute_once(context.caller, key=context.key, agent_id=agent_id, inputs=inputs, trigger=trigger).pk


async def _end_of(caller: Caller, execution_id: UUID, seconds: int) -> None:
    """Wait until the run has ended or waits for a person, at most so long."""
    until, pause = monotonic() + seconds, FIRST_LOOK_SECONDS
    while (left := until - monotonic()) > 0 and await in_domain(_goes_on, caller, execution_id):
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, LAST_LOOK_SECONDS)


def _goes_on(caller: Caller, execution_id: UUID) -> bool:
    found = Execution.objects.for_caller(caller).filter(pk=execution_id).only("status", "waiting_for").first()
    if found is None or found.state in TERMINAL:
        return False
    waits_for_a_time = found.state == Status.PAUSED_BY_AGENT and not (found.waiting_for or {}).get("questions")
    return waits_for_a_time or found.state in (Status.STARTING, Status.RUNNING)


def _told(execution: Execution, *, failed: bool = False) -> ToolOutcome:
    """How the run stands, for people and models alike."""
    told: dict[str, Any] = {
        "executionId": str(execution.pk),
        "url": _url(execution.pk),
        "status": execution.status,
    }
    if execution.state in TERMINAL:
        told |= {
            "outcome": execution.outcome or None,
            "reasoning": execution.reasoning or None,
            "result": clipped(execution.result),
            "failure": execution.failure or None,
        }
    elif questions := (execution.waiting_for or {}).get("questions"):
        told |= {"questions": questions, "note": "It waits for a person, who answers on its page."}
    elif execution.state == Status.AWAITING_CONFIRMATION:
        told["note"] = "It waits for a person, who confirms or refuses the next step on its page."
    elif execution.state == Status.PAUSED:
        told["note"] = "A person paused it and can resume it on its page."
    said = json.dumps(told, ensure_ascii=False, indent=1)
    return ToolOutcome(({"type": "text", "text": said},), told, failed)


def _said_of(execution_id: UUID) -> str:
    return f"The execution {execution_id} is started and runs by itself: {_url(execution_id)}"


def _url(execution_id: UUID) -> str:
    return settings.PUBLIC_URL + reverse("workflows:execution", args=[execution_id])


def _parameters(inputs: Sequence[str]) -> dict[str, Any]:
    """What the tool takes. The workflow's placeholders stand apart, for one of them may be called `wait`."""
    about = (
        f"Seconds to wait for its end, at most {LONGEST_WAIT_SECONDS}. 0, the default, gives its executionId at once."
    )
    properties: dict[str, Any] = {"wait": {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_SECONDS}}
    properties["wait"]["description"] = about
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if inputs:
        values = {name: {"type": "string"} for name in inputs}
        properties["inputs"] = {
            "type": "object",
            "description": "What the run is to work with.",
            "properties": values,
            "required": list(inputs),
            "additionalProperties": False,
        }
        schema["required"] = ["inputs"]
    return schema


def _read(arguments: Mapping[str, Any], inputs: Sequence[str]) -> tuple[Mapping[str, Any], int]:
    """The inputs and the seconds to wait; `Invalid` says what does not fit, so that the model can fix its call."""
    wait, given = arguments.get("wait") or 0, arguments.get("inputs") or {}
    if unknown := sorted(set(arguments) - {"wait", "inputs"}):
        raise Invalid(f"There is no argument {', '.join(unknown)[:200]}. Values for the run go into inputs.")
    if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait <= LONGEST_WAIT_SECONDS:
        raise Invalid(f"wait is a number of seconds from 0 to {LONGEST_WAIT_SECONDS}.")
    if not isinstance(given, Mapping):
        raise Invalid("inputs is an object with a value for each name.")
    if unknown := sorted(set(given) - set(inputs)):
        known = ", ".join(inputs) or "none"
        raise Invalid(f"The workflow has no input {', '.join(unknown)[:200]}. It has: {known}.")
    return given, int(wait)


@lru_cache(maxsize=1_024)
def _inputs_of(workflow_id: UUID) -> tuple[str, ...]:
    """What a run of the version has to be given; its content never changes."""
    return tuple(Workflow.objects.get(pk=workflow_id).needed_inputs)
