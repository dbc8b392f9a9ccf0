"""How a model ends its task: it says what came of it, and where to go on."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llm.turns import ToolCall, ToolSpec
from workflows.engine.moves import NodeResult, node_of, ways_from
from workflows.graph.placeholders import NAME
from workflows.graph.shapes import Graph, Node, Transition
from workflows.graph.yields import asked_of, variable_of
from workflows.task.actions import ActionFailed, faults_of

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
    """The tool, with the ways on from this node as the values of `next`.

    Where there is a way for success beside them, `next` may be left out, and that one is taken. Variables that later
    nodes ask of this one by name have to be among `variables`.
    """
    schema = Completion.model_json_schema()
    if asked := asked_of(graph, node):
        schema["properties"]["variables"] |= {"properties": {name: {} for name in asked}, "required": asked}
        schema["required"] = [*schema["required"], "variables"]
    ways, otherwise = choices(graph, node), _has_way_on_success(graph, node)
    if ways and (otherwise or len(ways) > 1):
        described = "; ".join(f"“{name}”: {_about(graph, way)}" for name, way in ways.items())
        rest = " Leave it out to go on as usual." if otherwise else ""
        schema["properties"]["next"] = {
            "type": "string",
            "enum": list(ways),
            "description": f"Where to go on. {described}.{rest}",
        }
        if not otherwise:
            schema["required"] = [*schema.get("required", []), "next"]
    else:
        del schema["properties"]["next"]
    return ToolSpec(COMPLETE, "End the task when it is done, or when it cannot be done: say which.", schema)


def result_of(graph: Graph, node: Node, call: ToolCall) -> NodeResult:
    """What the call says, as the node's result. `ActionFailed` tells the model what does not fit."""
    given = _read(call)
    if wrong := [name for name in given.variables if not NAME.fullmatch(name)]:
        raise ActionFailed(f"variables: {', '.join(wrong)} cannot be a name; use letters, digits and _.")
    asked = asked_of(graph, node)
    if missing := [name for name in asked if name not in given.variables]:
        raise ActionFailed(f"variables: later nodes need {', '.join(missing)} as well.")
    own = {variable_of(node): {name: given.variables[name] for name in asked}} if asked else {}
    ways, otherwise = choices(graph, node), _has_way_on_success(graph, node)
    is_known = given.next in ways if given.next is not None else otherwise or len(ways) <= 1
    if not is_known:
        raise ActionFailed(f"next has to be one of: {', '.join(ways)}." if ways else "Leave next out.")
    # The only way, where none had to be named.
    only = None if otherwise else next(iter(ways.values()), None)
    way = only if given.next is None else ways[given.next]
    return NodeResult(
        variables={**given.variables, **own}, summary=given.summary, chosen=way.id if way is not None else None
    )


def _read(call: ToolCall) -> Completion:
    if call.fault:
        raise ActionFailed(call.fault)
    try:
        return Completion.model_validate(call.arguments)
    except ValidationError as error:
        raise ActionFailed(f"The arguments of {COMPLETE} do not fit. {faults_of(error)}.") from None


def _has_way_on_success(graph: Graph, node: Node) -> bool:
    return any(way.type == "outcome_success" for way in ways_from(graph, node))


def _about(graph: Graph, way: Transition) -> str:
    target = node_of(graph, way.target)
    return target.description or f"on to {target.name}" if target is not None else ""
