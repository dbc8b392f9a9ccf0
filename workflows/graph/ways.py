"""What is wrong with the ways through a graph: transitions that cannot be taken, nodes nobody comes to or leaves."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from workflows.graph.faults import Code, Fault, called, twice
from workflows.graph.shapes import Graph, Node, Transition


def faults_of_ways(graph: Graph) -> Iterator[Fault]:
    """Transitions that lead nowhere, nodes nobody comes to, and nodes from which no run ever ends."""
    nodes = {node.id: node for node in graph.nodes}
    onward: dict[str, set[str]] = defaultdict(set)
    back: dict[str, set[str]] = defaultdict(set)
    for transition in graph.transitions:
        yield from _ends(transition, nodes)
        if transition.source in nodes and transition.target in nodes:
            onward[transition.source].add(transition.target)
            back[transition.target].add(transition.source)
    yield from _several_on_success(graph, nodes)
    starts = [node.id for node in graph.nodes if node.is_start_node]
    reached = _reached(starts, onward)
    ending = _reached([node.id for node in graph.nodes if node.type == "output"], back)
    for node in nodes.values():
        if starts and node.id not in reached:
            yield Fault(
                Code.UNREACHABLE,
                f"No transition leads to {called(node)} from the start. Lead one there, or take it out.",
                node_id=node.id,
            )
        if node.id not in ending:
            yield Fault(
                Code.NO_WAY_OUT,
                f"A run that comes to {called(node)} never ends: no output node can be reached from it. Lead a "
                "transition on to one.",
                node_id=node.id,
            )


def _ends(transition: Transition, nodes: Mapping[str, Node]) -> Iterator[Fault]:
    for end, identifier in (("from", transition.source), ("to", transition.target)):
        if identifier not in nodes:
            yield Fault(
                Code.UNKNOWN_NODE,
                f"The transition {transition.id} goes {end} {identifier}, and there is no such node.",
                transition_id=transition.id,
            )
    source = nodes.get(transition.source)
    if source is not None and source.type == "output":
        yield Fault(
            Code.AFTER_THE_END,
            f"The transition {transition.id} leaves {called(source)}, where a run ends. Take it out.",
            transition_id=transition.id,
        )
    if source is not None and transition.type == "iris" and source.type not in {"iris", "output"}:
        yield Fault(
            Code.PROPERTY,
            f"The transition {transition.id} is chosen by the model, and {called(source)} asks none. Make it "
            "outcome_success or selector.",
            transition_id=transition.id,
        )
    if source is not None and transition.type == "selector" and source.type == "api":
        yield Fault(
            Code.PROPERTY,
            f"The transition {transition.id} is taken by what a page shows, and {called(source)} opens none. Make it "
            "outcome_success.",
            transition_id=transition.id,
        )


def _several_on_success(graph: Graph, nodes: Mapping[str, Node]) -> Iterator[Fault]:
    on_success = (transition.source for transition in graph.transitions if transition.type == "outcome_success")
    for identifier in twice(identifier for identifier in on_success if identifier in nodes):
        yield Fault(
            Code.AMBIGUOUS,
            f"Several transitions leave {called(nodes[identifier])} on success; one of them can be taken. Keep one.",
            node_id=identifier,
        )


def _reached(begin: Iterable[str], steps: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(begin)
    while waiting:
        here = waiting.pop()
        if here not in reached:
            reached.add(here)
            waiting.extend(steps.get(here, ()))
    return reached
