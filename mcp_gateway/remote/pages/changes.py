"""A tool's definition as text that can be read, and what changed between two of them, line by line."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from security.visible import visible

# In this order; whatever else a definition holds comes after.
FIRST = ("name", "title", "description", "annotations", "inputSchema", "outputSchema")
CONTEXT_LINES = 3


@dataclass(frozen=True, slots=True)
class Line:
    """`kind` is "added", "removed", "kept", or "gap" for lines left out."""

    kind: str
    text: str

    @property
    def mark(self) -> str:
        return {"added": "+", "removed": "-"}.get(self.kind, "")


def written(definition: Mapping[str, Any]) -> list[str]:
    """The definition in lines, with what would steer or hide text shown by name: that is where tricks are played."""
    parts = [name for name in FIRST if name in definition]
    parts += sorted(name for name in definition if name not in FIRST)
    return [line for name in parts for line in _part(name, definition[name])]


def _part(name: str, value: Any) -> Iterable[str]:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    yield f"{visible(name)}:"
    for line in visible(text).split("\n"):
        yield f"  {line}"


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Line]:
    """What an admin is asked to look at; empty where the two are the same."""
    lines = list(unified_diff(written(before), written(after), lineterm="", n=CONTEXT_LINES))[2:]
    return [_line(line) for line in lines]


def _line(line: str) -> Line:
    if line.startswith("@@"):
        return Line("gap", "…")
    kind = {"+": "added", "-": "removed"}.get(line[:1], "kept")
    return Line(kind, line[1:])
