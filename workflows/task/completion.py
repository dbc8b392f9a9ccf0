"""How a model ends its task: it says what came of it, and where to go on."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llm.turns import ToolCall, ToolSpec
from workflows.engine.moves import NodeResult, node_of, ways_from
from workflows.graph.shapes import Graph, Node, Transition
from workflows.task.actions import ActionFailed

COMPLETE = "complete_task"


class Completion(BaseModel):
    """The arguments of complete_task."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field(description="What was done and found, in a few sentences, for whoever goes on from here.")
    variables: dict[str, Any] = Field(
        default_factory=dict, description="What later nodes need, by name: short names of letters, digits and _."
    )
    next: str | None = Field(default=None, description="Where to go on.")


def choices(graph: Graph, node: Node) -> dict[str, Transition]:
    """The ways on that the model chooses from, by the names it is given for them."""
    found: dict[str, Transition] = {}
    for way in ways_from(graph, node):
        target = node_of(graph, way.target)
        if way.type == "iris" and target is not None:
            name = target.name if target.name not in found else f"{target.name} ({way.id})"
            found[name] = way
    return found


def completion(graph: Graph, node: Node) -> ToolSpec:
    """The tool, with the ways on from this node as the values of `next`."""
    schema = Completion.model_json_schema()
    ways = choices(graph, node)
    if len(ways) > 1:
        described = "; ".join(f"“{name}”: {_about(graph, way)}" for name, way in ways.items())
        schema["properties"]["next"] = {
            "type": "string",
            "enum": list(ways),
            "description": f"Where to go on. {described}",
        }
        schema["required"] = [*schema.get("required", []), "next"]
    else:
        del schema["properties"]["next"]
    return ToolSpec(COMPLETE, "End the task when it is done, or when it cannot be done: say which.", schema)


def result_of(graph: Graph, node: Node, call: ToolCall) -> NodeResult:
    """What the call says, as the node's result. `ActionFailed` tells the model what does not fit."""
    if call.fault:
        raise ActionFailed(call.fault)
    try:
        given = Completion.model_validate(call.arguments)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ActionFailed(f"The arguments of {COMPLETE} do not fit. {faults}.") from None
    ways = choices(graph, node)
    if len(ways) > 1 and given.next not in ways:
        raise ActionFailed(f"next has to be one of: {', '.join(ways)}.")
    chosen = ways[given.next] if given.next in ways else next(iter(ways.values()), None)
    return NodeResult(
        variables=given.variables, summary=given.summary, chosen=chosen.id if chosen is not None else None
    )


def _about(graph: Graph, way: Transition) -> str:
    target = node_of(graph, way.target)
    return target.description or f"on to {target.name}" if target is not None else ""
