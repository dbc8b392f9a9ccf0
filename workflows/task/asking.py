"""The actions that ask: the execution itself for what it knows, and a model for a thought without tools."""

from typing import Annotated, Any

from asgiref.sync import sync_to_async
from pydantic import Field

from agents_hub.capabilities import Capability, capabilities
from llm import scripted
from llm.turns import Question, Said
from workflows.engine.work import Work
from workflows.graph.properties import MCP_CALL
from workflows.models import Step
from workflows.task.actions import Action, ActionFailed, Arguments, actions, clipped
from workflows.task.thinking import thinker_of

# The latest steps that are told of.
MOST_STEPS = 50
THOUGHT = "Answer what you are asked, shortly and from what you are given. You have no tools."


class Context(Arguments):
    name: Annotated[
        str, Field(max_length=200, description="A variable, an input or a step, for all of it; without it an overview.")
    ] = ""


async def query_context(work: Work, arguments: Context) -> Any:
    """What the run was given and what its steps found: an overview, or one thing whole."""
    if not arguments.name:
        return {
            "inputs": sorted(work.execution.inputs),
            "variables": sorted(work.execution.variables),
            "steps": await sync_to_async(_steps)(work),
        }
    if arguments.name in work.values:
        return clipped(work.secrets.hide(work.values[arguments.name]))
    step = await sync_to_async(_latest_of)(work, arguments.name)
    if step is None:
        raise ActionFailed(f"Nothing in this run is called {arguments.name}. Ask without a name for an overview.")
    return clipped({"step": step.number, "summary": step.summary, "output": step.output})


def _steps(work: Work) -> list[dict[str, Any]]:
    """The latest steps without what they gave, in their order."""
    latest = Step.objects.filter(execution_id=work.id).only("number", "node_name", "summary").order_by("-number")
    return [
        {"step": step.number, "name": step.node_name, "summary": step.summary}
        for step in reversed(list(latest[:MOST_STEPS]))
    ]


def _latest_of(work: Work, name: str) -> Step | None:
    return Step.objects.filter(execution_id=work.id, node_name=name).order_by("-number").first()


class Thought(Arguments):
    prompt: Annotated[str, Field(min_length=1, max_length=50_000)]
    model: Annotated[str, Field(max_length=200, description="provider:model; without it the organization's.")] = ""


async def llm_call(work: Work, arguments: Thought) -> str:
    question = Question(THOUGHT, [Said(work.secrets.hide(arguments.prompt))])
    answer = await thinker_of(work).ask(arguments.model, question)
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
