"""How two versions differ: parts of the graph by their ids, rules by lines, settings by names."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from workflows.graph.shapes import Graph, Node, StickyNote, Transition

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Field:
    """One value that is another now, by its path within the part."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """A node, transition or note that came, went or changed."""

    kind: Kind
    id: str
    name: str
    fields: list[Field] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Difference:
    """From one version to another. `rules` are the lines of a unified diff, without its heading."""

    nodes: list[Change]
    transitions: list[Change]
    sticky_notes: list[Change]
    settings: list[Field]
    rules: list[str]

    @property
    def is_empty(self) -> bool:
        return not (self.nodes or self.transitions or self.sticky_notes or self.settings or self.rules)


@dataclass(frozen=True, slots=True)
class Content:
    """What a version holds that another may hold otherwise. `settings` have the environment's template among them."""

    graph: Graph
    settings: Mapping[str, Any]
    rules: str


def difference(before: Content, after: Content) -> Difference:
    """What was done to `before` to make `after`. Moving a node on the canvas counts; the order of parts does not."""
    return Difference(
        nodes=_parts(before.graph.nodes, after.graph.nodes),
        transitions=_parts(before.graph.transitions, after.graph.transitions),
        sticky_notes=_parts(before.graph.sticky_notes, after.graph.sticky_notes),
        settings=_fields(before.settings, after.settings),
        rules=_lines(before.rules, after.rules),
    )


def _parts(
    before: Iterable[Node] | Iterable[Transition] | Iterable[StickyNote],
    after: Iterable[Node] | Iterable[Transition] | Iterable[StickyNote],
) -> list[Change]:
    old = {part.id: part for part in before}
    new = {part.id: part for part in after}
    gone = [Change("removed", identifier, _name(part)) for identifier, part in old.items() if identifier not in new]
    come = [Change("added", identifier, _name(part)) for identifier, part in new.items() if identifier not in old]
    changed = [
        Change("changed", identifier, _name(part), fields)
        for identifier, part in new.items()
        if identifier in old
        and (fields := _fields(old[identifier].model_dump(by_alias=True), part.model_dump(by_alias=True)))
    ]
    return [*gone, *come, *changed]


def _name(part: Node | Transition | StickyNote) -> str:
    match part:
        case Node():
            return part.name
        case Transition():
            return f"{part.source} → {part.target}"
        case StickyNote():
            return part.content[:60]


def _fields(before: Any, after: Any, path: str = "") -> list[Field]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        names = [*before, *(name for name in after if name not in before)]
        return [
            found
            for name in names
            for found in _fields(before.get(name), after.get(name), f"{path}.{name}" if path else name)
        ]
    return [] if before == after else [Field(path, before, after)]


def _lines(before: str, after: str) -> list[str]:
    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3))[2:]
