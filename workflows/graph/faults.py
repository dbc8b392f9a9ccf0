"""The faults of graphs: what each is, and which part it is in."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from workflows.graph.shapes import Node


class Code(StrEnum):
    NO_START = "no_start"
    SEVERAL_STARTS = "several_starts"
    SAME_ID = "same_id"
    UNKNOWN_NODE = "unknown_node"
    UNREACHABLE = "unreachable"
    NO_WAY_OUT = "no_way_out"
    AFTER_THE_END = "after_the_end"
    AMBIGUOUS = "ambiguous"
    PROPERTY = "property"
    OUTCOME = "outcome"
    SCHEMA = "schema"
    PLACEHOLDER = "placeholder"
    CAPABILITY = "capability"
    NAMELESS = "nameless"
    VARIABLE = "variable"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `path` leads to it within the part's properties, where it lies there."""

    code: Code
    message: str
    node_id: str | None = None
    transition_id: str | None = None
    path: str = ""


def twice(values: Iterable[str]) -> list[str]:
    """Those that are there more than once."""
    return [value for value, count in Counter(values).items() if count > 1]


def called(node: Node) -> str:
    """How a fault names the node."""
    return f"“{node.name}”" if node.name.strip() else f"the node {node.id}"
