"""What keeps a graph from being run: every fault at once, each with the part it is in and what to do about it."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from pydantic import BaseModel, ValidationError

from mcp_gateway.structured_output import violations
from workflows.graph import placeholders, yields
from workflows.graph.faults import Code, Fault, called, twice
from workflows.graph.properties import MCP_CALL, OF_NODE, OF_TRANSITION, SCRATCHPAD
from workflows.graph.shapes import Graph, Node, Transition
from workflows.graph.ways import faults_of_ways

__all__ = ["Code", "Fault", "calls_remote_tools", "validate"]

OUTCOME_CHARACTERS = 30
# How pydantic says that it is the name of an item that does not fit, and not its value.
KEY = "[key]"


def validate(graph: Graph, *, capabilities: Collection[str], has_servers: bool = True) -> list[Fault]:
    """All that is wrong, in the order of reading; nothing where the graph can run.

    `capabilities` are the names that AI tasks can be given on this installation. `has_servers`: whether the agent has
    a remote server whose tools can be called; where the agent is not known, it is taken to have one.
    """
    return [
        *_ids(graph),
        *_start(graph),
        *(fault for node in graph.nodes for fault in _node(node, capabilities)),
        *(fault for transition in graph.transitions for fault in _properties_of_transition(transition)),
        *faults_of_ways(graph),
        *_variables(graph),
        *(_without_servers(graph) if not has_servers else ()),
    ]


def calls_remote_tools(node: Node) -> bool:
    tools = node.properties.get("tools")
    return node.type == "iris" and isinstance(tools, list) and MCP_CALL in tools


def _ids(graph: Graph) -> Iterator[Fault]:
    for identifier in twice(node.id for node in graph.nodes):
        yield Fault(Code.SAME_ID, f"Several nodes have the id {identifier}; give each its own.", node_id=identifier)
    for identifier in twice(transition.id for transition in graph.transitions):
        yield Fault(
            Code.SAME_ID,
            f"Several transitions have the id {identifier}; give each its own.",
            transition_id=identifier,
        )


def _start(graph: Graph) -> Iterator[Fault]:
    starts = [node for node in graph.nodes if node.is_start_node]
    if not starts:
        yield Fault(Code.NO_START, "No node is the start. Set is_start_node on the node where a run begins.")
    for node in starts[1:]:
        yield Fault(
            Code.SEVERAL_STARTS,
            f"{called(node)} is a start node besides {called(starts[0])}; a run begins at one. Keep is_start_node "
            "on that one alone.",
            node_id=node.id,
        )


def _node(node: Node, capabilities: Collection[str]) -> Iterator[Fault]:
    if not node.name.strip():
        yield Fault(Code.NAMELESS, f"The node {node.id} has no name; the model and people go by it.", node_id=node.id)
    yield from (
        Fault(Code.PROPERTY, f"{called(node)}: {said}", node_id=node.id, path=path)
        for path, said in _misfits(OF_NODE[node.type], node.properties, node.type)
    )
    yield from _placeholders(node)
    if node.type == "iris":
        yield from _capabilities(node, capabilities)
    if node.type == "output":
        yield from _output(node)


def _placeholders(node: Node) -> Iterator[Fault]:
    for path, text in placeholders.texts_of(node):
        for found in placeholders.malformed_in(text, script=placeholders.is_script(path)):
            yield Fault(
                Code.PLACEHOLDER,
                f"{called(node)}: “{found}” in {path} is not a placeholder. Write {{{{.name}}}} or "
                "{{{{.name.part}}}}, with names of letters, digits and _.",
                node_id=node.id,
                path=path,
            )


def _variables(graph: Graph) -> Iterator[Fault]:
    """Nodes that would write over what another keeps."""
    keepers: dict[str, list[Node]] = defaultdict(list)
    kept = yields.kept_by(graph)
    for node in graph.nodes:
        if node.id in kept:
            keepers[kept[node.id]].append(node)
    for name, nodes in keepers.items():
        if name == SCRATCHPAD:
            yield Fault(
                Code.VARIABLE,
                f"{called(nodes[0])} keeps its answer as {name}, which the run's note is called. Rename the node.",
                node_id=nodes[0].id,
            )
        for node in nodes[1:]:
            yield Fault(
                Code.VARIABLE,
                f"{called(node)} and {called(nodes[0])} both keep their answers as {name}. Rename one of the nodes.",
                node_id=node.id,
            )


def _capabilities(node: Node, capabilities: Collection[str]) -> Iterator[Fault]:
    tools = node.properties.get("tools")
    for name in tools if isinstance(tools, list) else []:
        if isinstance(name, str) and name not in capabilities:
            yield Fault(
                Code.CAPABILITY,
                f"{called(node)}: this installation has no capability {name}. listAvailableTools names those it has.",
                node_id=node.id,
                path="tools",
            )


def _without_servers(graph: Graph) -> Iterator[Fault]:
    for node in filter(calls_remote_tools, graph.nodes):
        yield Fault(
            Code.SERVER,
            f"{called(node)} calls remote tools ({MCP_CALL}), and the agent has no remote server that is enabled. Tick "
            f"one on the agent's page, under Edit, MCP Servers, or take {MCP_CALL} out.",
            node_id=node.id,
            path="tools",
        )


def _output(node: Node) -> Iterator[Fault]:
    outcomes = node.properties.get("outcomes")
    names = [name for name in outcomes if isinstance(name, str)] if isinstance(outcomes, list) else []
    for name in names:
        if not 1 <= len(name.strip()) <= OUTCOME_CHARACTERS:
            yield Fault(
                Code.OUTCOME,
                f"{called(node)}: the outcome “{name[:60]}” has {len(name.strip())} characters; give it 1 to "
                f"{OUTCOME_CHARACTERS}.",
                node_id=node.id,
                path="outcomes",
            )
    for name in twice(names):
        yield Fault(
            Code.OUTCOME,
            f"{called(node)}: the outcome “{name}” is there more than once; name each once.",
            node_id=node.id,
            path="outcomes",
        )
    schema = node.properties.get("schema")
    for violation in violations(schema) if schema is not None else []:
        yield Fault(Code.SCHEMA, f"{called(node)}: the schema, {violation}", node_id=node.id, path="schema")


def _properties_of_transition(transition: Transition) -> Iterator[Fault]:
    for path, said in _misfits(OF_TRANSITION[transition.type], transition.properties, transition.type):
        yield Fault(Code.PROPERTY, f"The transition {transition.id}: {said}", transition_id=transition.id, path=path)


def _misfits(model: type[BaseModel], properties: Mapping[str, object], kind: str) -> Iterator[tuple[str, str]]:
    """Where the properties do not fit their type, and what is wrong there."""
    try:
        model.model_validate(properties, strict=True)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            path = ".".join(str(step) for step in fault["loc"] if step != KEY)
            match fault["type"]:
                case "missing":
                    yield path, f"{path} is missing; a node or transition of type {kind} needs it."
                case "extra_forbidden":
                    yield path, f"{path} is not a property of type {kind}; take it out."
                case _:
                    yield path, f"{path}: {fault['msg'][0].lower()}{fault['msg'][1:]}."
