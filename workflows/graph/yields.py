"""What a run works out by itself: which variables nodes are sure to keep, and so what it need not be given."""

import re
import unicodedata
from collections import defaultdict, deque
from collections.abc import Mapping

from workflows.graph.placeholders import NAME, inputs_of, references_of
from workflows.graph.shapes import Graph, Node

NO_WORD = re.compile(r"[^A-Za-z0-9_]+")


def variable_of(node: Node) -> str:
    """The variable that the node keeps its answer in: its name, as one word that placeholders can name.

    “Fetch order” is Fetch_order. Of a name without any Latin letter or digit the id is taken.
    """
    return _as_word(node.name) or _as_word(node.id) or "_"


def asked_of(graph: Graph, node: Node) -> list[str]:
    """What placeholders such as `{{.Look.size}}` ask of the AI task “Look”: it has to keep a variable `size`."""
    return _parts_named(graph).get(variable_of(node), []) if node.type == "iris" else []


def kept_by(graph: Graph) -> dict[str, str]:
    """By node, the variable that is there whenever the node is done."""
    named = _parts_named(graph)
    own = {node.id: variable_of(node) for node in graph.nodes if node.type in ("api", "iris")}
    return {node.id: own[node.id] for node in graph.nodes if node.type == "api" or named.get(own.get(node.id, ""))}


def needed_of(graph: Graph) -> list[str]:
    """The inputs that a run has to be given: not those that are worked out on every way to where they are used."""
    kept = kept_by(graph)
    if not kept:
        return inputs_of(graph)
    there = _sure_before(graph, kept)
    found = (
        reference.name
        for node in graph.nodes
        for reference in references_of(node)
        if reference.name not in there[node.id]
    )
    return list(dict.fromkeys(found))


def _parts_named(graph: Graph) -> dict[str, list[str]]:
    """By name, the variables that placeholders reach for in it."""
    parts: dict[str, list[str]] = defaultdict(list)
    for node in graph.nodes:
        for reference in references_of(node):
            if reference.path and NAME.fullmatch(reference.path[0]) and reference.path[0] not in parts[reference.name]:
                parts[reference.name].append(reference.path[0])
    return parts


def _sure_before(graph: Graph, kept: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """By node, the variables that each way from the start to it goes through the keeping of."""
    onward = defaultdict(set)
    for transition in graph.transitions:
        onward[transition.source].add(transition.target)
    # From all of them, narrowed until nothing changes.
    sure = {node.id: frozenset(kept.values()) for node in graph.nodes}
    starts = [node.id for node in graph.nodes if node.is_start_node]
    sure |= dict.fromkeys(starts, frozenset())
    waiting = deque(sure)
    while waiting:
        here = waiting.popleft()
        after = sure[here] | ({kept[here]} if here in kept else set())
        for target in onward[here] & sure.keys():
            if not sure[target] <= after:
                sure[target] &= after
                waiting.append(target)
    return sure


def _as_word(text: str) -> str:
    if NAME.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    word = NO_WORD.sub("_", plain).strip("_")
    return f"_{word}" if word[:1].isdigit() else word
