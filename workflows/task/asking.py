"""The actions that ask: the execution itself for what it knows, and a model for a thought without tools."""

from typing import Annotated, Any

from asgiref.sync import sync_to_async
from pydantic import Field

from agents_hub.capabilities import Capability, capabilities
from llm import scripted
from llm.services.thinking import Thinker
from llm.turns import Question, Said
from workflows.engine.work import Work
from workflows.models import Step
from workflows.task.actions import Action, ActionFailed, Arguments, actions, clipped
from workflows.task.remote import MCP_CALL

# The latest steps that are told of.
MOST_STEPS = 50
THOUGHT = "Answer what you are asked, shortly and from what you are given. You have no tools."


class Context(Arguments):
    name: Annotated[
        str, Field(max_length=200, description="A variable, an input or a step, for all of it; without it an overview.")
    ] = ""


async def query_context(work: Work, arguments: Context) -> Any:
    """What the run was given and what its steps found: an overview, or one thing whole."""
    steps = await sync_to_async(_steps)(work)
    if not arguments.name:
        return {
            "inputs": sorted(work.execution.inputs),
            "variables": sorted(work.execution.variables),
            "steps": [{"step": step.number, "name": step.node_name, "summary": step.summary} for step in steps],
        }
    if arguments.name in work.values:
        return clipped(work.secrets.hide(work.values[arguments.name]))
    for step in reversed(steps):
        if step.node_name == arguments.name:
            return clipped({"step": step.number, "summary": step.summary, "output": step.output})
    raise ActionFailed(f"Nothing in this run is called {arguments.name}. Ask without a name for an overview.")


def _steps(work: Work) -> list[Step]:
    """The latest steps, in their order."""
    latest = Step.objects.filter(execution_id=work.id).order_by("-number")[:MOST_STEPS]
    return list(reversed(latest))


class Thought(Arguments):
    prompt: Annotated[str, Field(min_length=1, max_length=50_000)]
    model: Annotated[str, Field(max_length=200, description="provider:model; without it the organization's.")] = ""


async def llm_call(work: Work, arguments: Thought) -> str:
    thinker = Thinker(
        organization_id=work.execution.organization_id,
        user_id=work.execution.runner_id,
        product="workflows",
        subject=work.id,
    )
    answer = await thinker.ask(arguments.model, Question(THOUGHT, [Said(work.secrets.hide(arguments.prompt))]))
    if answer.model == scripted.NAME:
        raise ActionFailed("No model is configured.")
    return str(clipped(work.secrets.hide(answer.text)))


capabilities.add(Capability(MCP_CALL, "Call the tools of the remote MCP servers assigned to the agent.", "mcp"))
for _action in (
    Action(
        "agent_query_context",
        "Look up what this run was given and what its steps found.",
        Context,
        query_context,
        "context",
        repeatable=True,
    ),
    Action("llm_call", "Ask a model one thing, without any tools.", Thought, llm_call, "utility", repeatable=True),
):
    actions.add(_action)
