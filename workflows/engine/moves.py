"""Where a run goes after a node: pure, from the graph and what the node gave."""

from dataclasses import dataclass, field
from typing import Any

from workflows.graph.shapes import Graph, Node, Transition


@dataclass(frozen=True, slots=True)
class Ending:
    """How an output node ends the run."""

    outcome: str
    reasoning: str
    result: Any = None


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What a node gave. `variables` are kept for the nodes after it; `chosen` is the transition it decided on."""

    succeeded: bool = True
    variables: dict[str, Any] = field(default_factory=dict)
    summary: str = ""
    chosen: str | None = None
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Go:
    """On to another node, once a person has confirmed where `confirm` is set."""

    transition: Transition
    node: Node
    confirm: bool


@dataclass(frozen=True, slots=True)
class Finish:
    ending: Ending


@dataclass(frozen=True, slots=True)
class Fail:
    reason: str


Move = Go | Finish | Fail


def start_of(graph: Graph) -> Node:
    """The node where a run begins; a graph without faults has exactly one."""
    return next(node for node in graph.nodes if node.is_start_node)


def node_of(graph: Graph, identifier: str) -> Node | None:
    return next((node for node in graph.nodes if node.id == identifier), None)


def ways_from(graph: Graph, node: Node) -> list[Transition]:
    return [transition for transition in graph.transitions if transition.source == node.id]


def next_move(graph: Graph, node: Node, given: NodeResult) -> Move:
    """On by the transition chosen, else by the one for success, else by the only one; or the end, or a dead end.

    One with a selector is taken where it is chosen alone: whoever looks at a page chooses it.
    """
    if given.ending is not None:
        return Finish(given.ending)
    if not given.succeeded:
        return Fail(given.summary or f"“{node.name}” failed.")
    ways = ways_from(graph, node)
    chosen = [way for way in ways if way.id == given.chosen]
    only = ways if len(ways) == 1 and ways[0].type != "selector" else []
    taken = chosen or [way for way in ways if way.type == "outcome_success"] or only
    if not taken:
        return Fail(_stuck(node, ways))
    target = node_of(graph, taken[0].target)
    if target is None:
        return Fail(f"The transition {taken[0].id} leads to {taken[0].target}, and there is no such node.")
    return Go(taken[0], target, taken[0].require_confirmation)


def _stuck(node: Node, ways: list[Transition]) -> str:
    said = f"“{node.name}” has {len(ways)} transitions, and none was taken."
    if len(ways) == 1:
        said = f"The one transition from “{node.name}” was not taken."
    if any(way.type == "selector" for way in ways):
        said += " Selectors are looked for on a page, and this installation has no browser yet."
    return said
