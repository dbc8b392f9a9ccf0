"""A graph as a picture: where each box stands, and how the lines between them run. Pure, in the picture's pixels."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from workflows.graph.shapes import Graph, Node, Transition
from workflows.pages import notes as sticky
from workflows.pages.notes import Note

WIDTH, HEIGHT = 208, 56
GAP_X, GAP_Y = 88, 36
MARGIN = 28
# What fits on one line of a box, in characters.
LINE = 22
# Positions further out than this are a slip; a picture so large would show nothing.
FURTHEST = 20_000.0

KINDS = {
    "iris": "AI Task",
    "api": "HTTP request",
    "url": "Open a page",
    "playwright_script": "Browser script",
    "output": "End",
}

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Box:
    x: int
    y: int
    name: str
    title: str
    kind: str
    is_start: bool
    is_current: bool
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def text_x(self) -> int:
        return self.x + 12

    @property
    def name_y(self) -> int:
        return self.y + 23

    @property
    def kind_y(self) -> int:
        return self.y + 42


@dataclass(frozen=True, slots=True)
class Line:
    path: str
    title: str
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    boxes: list[Box]
    lines: list[Line]
    notes: list[Note]
    width: int
    height: int

    @property
    def view(self) -> str:
        return f"0 0 {self.width} {self.height}"


def draw(graph: Graph, current: str = "") -> Drawing:
    """The picture of a graph, faults and all; `current` is the id of the node where a run stands.

    Notes stand where the canvas has them, as long as the boxes do; else in rows below the boxes.
    """
    nodes = {node.id: node for node in graph.nodes}
    given = _given(nodes.values())
    places = given or _layered(nodes, graph.transitions)
    pinned = [(note, at) for note in graph.sticky_notes if (at := sticky.place_of(note)) and (given or not nodes)]
    corners = [*places.values(), *(at for _, at in pinned)]
    left, top = min((x for x, _ in corners), default=0), min((y for _, y in corners), default=0)
    places = {name: (x - left + MARGIN, y - top + MARGIN) for name, (x, y) in places.items()}
    boxes = [_box(node, places[node.id], current) for node in nodes.values()]
    lines = [_line(way, nodes, places) for way in graph.transitions if way.source in nodes and way.target in nodes]
    notes = [sticky.drawn(note, (x - left + MARGIN, y - top + MARGIN)) for note, (x, y) in pinned]
    stand = {id(note) for note, _ in pinned}
    loose = [note for note in graph.sticky_notes if id(note) not in stand]
    notes += sticky.in_rows(loose, MARGIN, _size([*boxes, *notes])[1])
    return Drawing(boxes, lines, notes, *_size([*boxes, *notes]))


def _size(parts: Iterable[Box | Note]) -> tuple[int, int]:
    """The width and height of a picture that holds these, with its margin."""
    ends = [(part.x + part.width, part.y + part.height) for part in parts] or [(0, 0)]
    return max(x for x, _ in ends) + MARGIN, max(y for _, y in ends) + MARGIN


def _box(node: Node, place: Point, current: str) -> Box:
    name = node.name if len(node.name) <= LINE else f"{node.name[: LINE - 1]}…"
    return Box(*place, name, node.name, KINDS[node.type], node.is_start_node, node.id == current)


def _given(nodes: Iterable[Node]) -> dict[str, Point]:
    """The positions of the canvas; nothing where one is missing, far out, or on top of another."""
    places: dict[str, Point] = {}
    for node in nodes:
        at = node.position
        if at is None or abs(at.x) > FURTHEST or abs(at.y) > FURTHEST:
            return {}
        places[node.id] = (round(at.x), round(at.y))
    overlap = any(
        abs(one[0] - other[0]) < WIDTH and abs(one[1] - other[1]) < HEIGHT
        for one, other in combinations(places.values(), 2)
    )
    return {} if overlap else places


def _layered(nodes: Mapping[str, Node], ways: Iterable[Transition]) -> dict[str, Point]:
    """In columns by how many transitions lead there from the start; what cannot be reached stands after the rest."""
    onward: dict[str, list[str]] = defaultdict(list)
    for way in ways:
        if way.source in nodes and way.target in nodes:
            onward[way.source].append(way.target)
    depth = {node.id: 0 for node in nodes.values() if node.is_start_node}
    waiting = deque(depth)
    while waiting:
        here = waiting.popleft()
        for target in onward[here]:
            if target not in depth:
                depth[target] = depth[here] + 1
                waiting.append(target)
    last = max(depth.values(), default=-1) + 1
    columns: dict[int, int] = defaultdict(int)
    places = {}
    for name in nodes:
        column = depth.get(name, last)
        places[name] = (column * (WIDTH + GAP_X), columns[column] * (HEIGHT + GAP_Y))
        columns[column] += 1
    return places


def _line(way: Transition, nodes: Mapping[str, Node], places: Mapping[str, Point]) -> Line:
    title = f"{nodes[way.source].name} → {nodes[way.target].name}"
    return Line(_path(places[way.source], places[way.target]), title, way.require_confirmation)


def _path(source: Point, target: Point) -> str:
    """A curve from the right side to the left one; backwards and onto itself it runs below the boxes."""
    (x1, y1), (x2, y2) = source, target
    if x2 >= x1 + WIDTH:
        bend = max(24, (x2 - x1 - WIDTH) // 2)
        begin, end = (x1 + WIDTH, y1 + HEIGHT // 2), (x2, y2 + HEIGHT // 2)
        return f"M{begin[0]} {begin[1]}C{begin[0] + bend} {begin[1]} {end[0] - bend} {end[1]} {end[0]} {end[1]}"
    if abs(x2 - x1) < WIDTH and y2 != y1:
        down = y2 > y1
        begin = (x1 + WIDTH // 2, y1 + (HEIGHT if down else 0))
        end = (x2 + WIDTH // 2, y2 + (0 if down else HEIGHT))
        middle = (begin[1] + end[1]) // 2
        return f"M{begin[0]} {begin[1]}C{begin[0]} {middle} {end[0]} {middle} {end[0]} {end[1]}"
    begin, end = (x1 + WIDTH * 3 // 4, y1 + HEIGHT), (x2 + WIDTH // 4, y2 + HEIGHT)
    low = max(begin[1], end[1]) + MARGIN - 4
    return f"M{begin[0]} {begin[1]}C{begin[0]} {low} {end[0]} {low} {end[0]} {end[1]}"
