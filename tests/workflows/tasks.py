"""AI tasks for tests: nodes whose instructions are scripts, and runs of them in the test's own thread."""

import json
from typing import Any

from accounts.caller import Caller
from agents_hub.models import Agent, Profile
from tests.agents_hub.factories import AgentFactory, ProfileFactory, member_of
from tests.factories import caller_for
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph, node
from workflows.engine import admission
from workflows.engine.run import drive
from workflows.models import Activity, Execution
from workflows.services import executions

END = node("end", "output")


def call(name: str, /, **arguments: Any) -> dict[str, Any]:
    return {"call": name, "arguments": arguments}


def done(**variables: Any) -> dict[str, Any]:
    return call("complete_task", summary="Done.", variables=variables)


def script(*lines: dict[str, Any]) -> str:
    return "Do this.\n```script\n" + "\n".join(json.dumps(line) for line in lines) + "\n```"


def task(identifier: str, *lines: dict[str, Any], tools: tuple[str, ...] = (), words: str = "") -> dict[str, Any]:
    """An AI task that makes these calls; `words` stand before the script."""
    return node(identifier, properties={"instructions": f"{words}\n{script(*lines)}", "tools": list(tools)})


def started(
    *parts: dict[str, Any], agent: Agent | None = None, secrets: dict[str, str] | None = None, **options: Any
) -> tuple[Caller, Execution]:
    """An execution of these nodes and transitions, with its place, and somebody of its organization."""
    workflow = WorkflowFactory(agent=agent or AgentFactory(), graph=graph(*parts))
    caller = caller_for(member_of(workflow.agent.organization))
    if secrets:
        profile: Profile = ProfileFactory(organization=workflow.agent.organization)
        for name, value in secrets.items():
            profile.credentials.create(name=name, value=value)
        options["profile_id"] = profile.pk
    execution = executions.start(caller, workflow=workflow, inputs=options.pop("inputs", {}), **options)
    admission.admit()
    return caller, execution


def on(execution: Execution) -> Execution:
    """Go on as a worker does, until the run ends or waits; the execution as it is then."""
    admission.admit()
    assert drive(execution.pk)
    execution.refresh_from_db()
    return execution


def work() -> None:
    """What the workers do."""
    for execution_id in admission.admit():
        drive(execution_id)


def told(execution: Execution, **kind: str) -> list[dict[str, Any]]:
    """The payloads of its activities, or of those of a type, in their order."""
    found = Activity.objects.filter(execution=execution, **kind).order_by("number")
    return list(found.values_list("payload", flat=True))


def failures(execution: Execution) -> list[str]:
    """What the actions that failed said."""
    return [line["message"] for line in told(execution, type="action_failed")]
