"""Placeholders, written `{{.name}}` or `{{.name.part}}`: where they stand, which are badly written, what they name.

What they are filled with is `graph.filling`'s; which of them a run has to be given values for is `graph.yields`'.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workflows.graph.shapes import Graph, Node

# What variables, and so placeholders, can be called.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PLACEHOLDER = re.compile(r"\{\{\s*\.([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z0-9_-]+)*)\s*\}\}")
# Whatever looks as if a placeholder was meant: what follows the braces, up to the closing ones or a little further.
OPENING = re.compile(r"\{\{[^{}\n]{0,300}(?:\}\})?")
# In a script two braces are ordinary code; only with the dot was a placeholder meant.
OPENING_IN_SCRIPT = re.compile(r"\{\{\s*\.[^{}\n]{0,300}(?:\}\})?")


@dataclass(frozen=True, slots=True)
class Reference:
    """What one placeholder names: a value, and the way to a part of it."""

    name: str
    path: tuple[str, ...] = ()

    @classmethod
    def of(cls, match: re.Match[str]) -> "Reference":
        return cls(match[1], tuple(match[2].split(".")[1:]))

    def __str__(self) -> str:
        return f"{{{{.{'.'.join((self.name, *self.path))}}}}}"


def references_in(text: str) -> list[Reference]:
    """What the well-formed placeholders name, in the order in which they stand."""
    return [Reference.of(match) for match in PLACEHOLDER.finditer(text)]


def malformed_in(text: str, *, script: bool = False) -> list[str]:
    """The places that look like placeholders and are none."""
    opening = OPENING_IN_SCRIPT if script else OPENING
    return [found for found in opening.findall(text) if not PLACEHOLDER.fullmatch(found)]


def texts_of(node: Node) -> Iterator[tuple[str, str]]:
    """Each text of the node in which placeholders are replaced, with its path among the properties."""
    for name, value in node.properties.items():
        if not (node.type == "output" and name in {"schema", "outcomes"}) and name != "llm_vars":
            yield from _texts(value, name)


def references_of(node: Node) -> Iterator[Reference]:
    """What the node's placeholders name, but for what its script works out by itself."""
    own = _own_variables(node)
    for _, text in texts_of(node):
        yield from (reference for reference in references_in(text) if reference.name not in own)


def is_script(path: str) -> bool:
    return path.rpartition(".")[2] == "script"


def inputs_of(graph: Graph) -> list[str]:
    """The names that the placeholders begin with, each once, in the order of the nodes."""
    return list(dict.fromkeys(reference.name for node in graph.nodes for reference in references_of(node)))


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name != "llm_vars":
                yield path, name
                yield from _texts(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{number}]")


def _own_variables(node: Node) -> set[str]:
    listed = [node.properties.get("llm_vars"), _within(node.properties.get("playwright_script_properties"), "llm_vars")]
    return {
        name
        for variables in listed
        if isinstance(variables, list)
        for variable in variables
        if isinstance(name := _within(variable, "name"), str)
    }


def _within(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
