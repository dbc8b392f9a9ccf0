"""A graph as a picture: where each box stands, and what is written on it. Pure, in the picture's pixels."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from workflows.graph.shapes import Graph, Node, Transition
from workflows.pages import notes as sticky
from workflows.pages.lettering import fitting
from workflows.pages.notes import Note
from workflows.pages.ways import HEIGHT, WIDTH, Curve, Point, curves

GAP_X, GAP_Y = 88, 36
MARGIN = 28
PADDING, FONT_SIZE = 12, 14
# Positions further out than this are a slip, and so are those that leave more room than this for each node: a picture
# so large shows nothing.
FURTHEST, ROOM = 20_000.0, 1_000
# A picture is made smaller to this part of its size where it has less room; smaller still nobody could read it.
LEAST = 0.75

KINDS = {
    "iris": "AI Task",
    "api": "HTTP request",
    "url": "Open a page",
    "playwright_script": "Browser script",
    "output": "End",
}


@dataclass(frozen=True, slots=True)
class Box:
    x: int
    y: int
    id: str
    name: str
    title: str
    kind: str
    is_start: bool
    is_current: bool
    is_failed: bool
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def text_x(self) -> int:
        return self.x + PADDING

    @property
    def name_y(self) -> int:
        return self.y + 23

    @property
    def kind_y(self) -> int:
        return self.y + 42


@dataclass(frozen=True, slots=True)
class Line:
    curve: Curve
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

    @property
    def least_width(self) -> int:
        return round(self.width * LEAST)


def draw(graph: Graph, current: str = "", *, has_failed: bool = False) -> Drawing:
    """The picture of a graph, faults and all; `current` is the id of the node where a run stands, or has failed.

    Notes stand where the canvas has them, as long as the boxes do; else in rows below the boxes.
    """
    nodes = {node.id: node for node in graph.nodes}
    ways = [way for way in graph.transitions if way.source in nodes and way.target in nodes]
    given = _given(nodes.values())
    places = given or _layered(nodes, ways)
    routes = curves(ways, places)
    pinned = [(note, at) for note in graph.sticky_notes if (at := sticky.place_of(note)) and (given or not nodes)]
    corners = [*places.values(), *(at for _, at in pinned), *(at for route in routes for at in route.passes())]
    right, down = (MARGIN - min((at[axis] for at in corners), default=0) for axis in (0, 1))
    boxes = [
        _box(node, (places[node.id][0] + right, places[node.id][1] + down), current, has_failed=has_failed)
        for node in nodes.values()
    ]
    lines = [
        Line(route.moved(right, down), _title(way, nodes), way.require_confirmation)
        for way, route in zip(ways, routes, strict=True)
    ]
    notes = [sticky.drawn(note, (x + right, y + down)) for note, (x, y) in pinned]
    stand = {id(note) for note, _ in pinned}
    loose = [note for note in graph.sticky_notes if id(note) not in stand]
    notes += sticky.in_rows(loose, MARGIN, _size([*boxes, *notes], lines)[1])
    return Drawing(boxes, lines, notes, *_size([*boxes, *notes], lines))


def _size(parts: Iterable[Box | Note], lines: Iterable[Line]) -> tuple[int, int]:
    """The width and height of a picture that holds these, with its margin."""
    ends = [(part.x + part.width, part.y + part.height) for part in parts]
    ends += [at for line in lines for at in line.curve.passes()]
    return max((x for x, _ in ends), default=0) + MARGIN, max((y for _, y in ends), default=0) + MARGIN


def _box(node: Node, place: Point, current: str, *, has_failed: bool) -> Box:
    name = node.name.strip() or node.id
    is_here = node.id == current
    return Box(
        *place,
        id=node.id,
        name=fitting(name, (WIDTH - 2 * PADDING) / FONT_SIZE),
        title=name,
        kind=KINDS[node.type],
        is_start=node.is_start_node,
        is_current=is_here and not has_failed,
        is_failed=is_here and has_failed,
    )


def _title(way: Transition, nodes: Mapping[str, Node]) -> str:
    return f"{nodes[way.source].name} → {nodes[way.target].name}"


def _given(nodes: Iterable[Node]) -> dict[str, Point]:
    """The positions of the canvas; nothing where one is missing, far out or far from all others, or on another."""
    places: dict[str, Point] = {}
    for node in nodes:
        at = node.position
        if at is None or abs(at.x) > FURTHEST or abs(at.y) > FURTHEST:
            return {}
        places[node.id] = (round(at.x), round(at.y))
    if any(_spread(places.values(), axis) > ROOM * len(places) for axis in (0, 1)):
        return {}
    overlap = any(
        abs(one[0] - other[0]) < WIDTH and abs(one[1] - other[1]) < HEIGHT
        for one, other in combinations(places.values(), 2)
    )
    return {} if overlap else places


def _spread(places: Iterable[Point], axis: int) -> int:
    along = [place[axis] for place in places]
    return max(along, default=0) - min(along, default=0)


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
