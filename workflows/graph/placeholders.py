"""Placeholders, written `{{.name}}`: which a graph asks for, which are badly written, and putting values in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from workflows.graph.shapes import Graph, Node

PLACEHOLDER = re.compile(r"\{\{\s*\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
# Whatever looks as if a placeholder was meant: what follows the braces, up to the closing ones or a little further.
OPENING = re.compile(r"\{\{[^{}\n]{0,60}(?:\}\})?")
# In a script two braces are ordinary code; only with the dot was a placeholder meant.
OPENING_IN_SCRIPT = re.compile(r"\{\{\s*\.[^{}\n]{0,60}(?:\}\})?")


def names_in(text: str) -> list[str]:
    """The names of the well-formed placeholders, in the order in which they stand."""
    return PLACEHOLDER.findall(text)


def malformed_in(text: str, *, script: bool = False) -> list[str]:
    """The places that look like placeholders and are none."""
    opening = OPENING_IN_SCRIPT if script else OPENING
    return [found for found in opening.findall(text) if not PLACEHOLDER.fullmatch(found)]


def texts_of(node: Node) -> Iterator[tuple[str, str]]:
    """Each text of the node in which placeholders are replaced, with its path among the properties."""
    for name, value in node.properties.items():
        if not (node.type == "output" and name in {"schema", "outcomes"}) and name != "llm_vars":
            yield from _texts(value, name)


def is_script(path: str) -> bool:
    return path.rpartition(".")[2] == "script"


def inputs_of(graph: Graph) -> list[str]:
    """What a run has to be given: each name once, in the order of the nodes; a script works out its own variables."""
    found: dict[str, None] = {}
    for node in graph.nodes:
        own = _own_variables(node)
        for _, text in texts_of(node):
            found.update(dict.fromkeys(name for name in names_in(text) if name not in own))
    return list(found)


def fill(text: str, values: Mapping[str, Any]) -> str:
    """The text with each placeholder replaced. One without a value stays as it is: whoever runs has checked before."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return str(values[name]) if name in values else match.group(0)

    return PLACEHOLDER.sub(value, text)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name != "llm_vars":
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
