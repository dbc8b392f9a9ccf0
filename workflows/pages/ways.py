"""How the lines between a picture's boxes run: one cubic curve each. Pure, in the picture's pixels."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflows.graph.shapes import Transition

WIDTH, HEIGHT = 208, 56
# How far a line that goes round boxes is led out of their row or column.
OUT = 24
# Between lines that lead from one node to the same other, and how much further out a line is led for each step of GRID
# between its ends, as far as MOST_OUT.
APART, GRID, MOST_OUT = 7, 296, 280
# Parts of a curve, at whose ends it is looked at: for the room it takes, and for the boxes it runs through.
FEW, MANY = 6, 16
# With more pairs of a line and a box than these it is not asked which lines run through which boxes.
MOST_PAIRS = 60_000

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Curve:
    """From the first point to the last, drawn towards the two between."""

    points: tuple[Point, Point, Point, Point]

    def moved(self, x: int, y: int) -> "Curve":
        one, two, three, four = ((at[0] + x, at[1] + y) for at in self.points)
        return Curve((one, two, three, four))

    @property
    def path(self) -> str:
        (x1, y1), (x2, y2), (x3, y3), (x4, y4) = self.points
        return f"M{x1} {y1}C{x2} {y2} {x3} {y3} {x4} {y4}"

    def passes(self, parts: int = FEW) -> list[Point]:
        return [self._at(number / parts) for number in range(parts + 1)]

    def _at(self, part: float) -> Point:
        rest = 1 - part
        a, b, c, d = rest**3, 3 * rest**2 * part, 3 * rest * part**2, part**3
        (x1, y1), (x2, y2), (x3, y3), (x4, y4) = self.points
        return round(a * x1 + b * x2 + c * x3 + d * x4), round(a * y1 + b * y2 + c * y3 + d * y4)


def curves(ways: Sequence[Transition], places: Mapping[str, Point]) -> list[Curve]:
    """A curve for each of these transitions, in their order: beside one another where several lead the same way."""
    looks = len(ways) * len(places) <= MOST_PAIRS
    beside: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, way in enumerate(ways):
        beside[way.source, way.target].append(number)
    drawn: dict[int, Curve] = {}
    for (source, target), numbers in beside.items():
        others = [at for name, at in places.items() if name not in (source, target)] if looks else []
        for lane, number in enumerate(numbers):
            drawn[number] = _curve(places[source], places[target], others, lane, len(numbers))
    return [drawn[number] for number in range(len(ways))]


def _curve(source: Point, target: Point, others: Sequence[Point], lane: int, lanes: int) -> Curve:
    """From the right side to the left one; backwards and onto itself below the boxes, past others above or beside."""
    (x1, y1), (x2, y2) = source, target
    # Lines that run side by side leave a box within its own side.
    step = min(APART, (HEIGHT - 16) / max(1, lanes - 1))
    aside = round((lane - (lanes - 1) / 2) * step)
    if x2 >= x1 + WIDTH:
        direct = _onward((x1 + WIDTH, y1 + HEIGHT // 2 + aside), (x2, y2 + HEIGHT // 2 + aside))
        hit = list(_hit(direct, others))
        return _above(source, target, [y for _, y in hit], lane) if hit else direct
    if abs(x2 - x1) < WIDTH and y2 != y1:
        begin, end = (x1 + WIDTH // 2 + aside, y1 + HEIGHT), (x2 + WIDTH // 2 + aside, y2)
        middle = (begin[1] + end[1]) // 2
        direct = Curve((begin, (begin[0], middle), (end[0], middle), end))
        if y2 > y1 and not any(_hit(direct, others)):
            return direct
        return _beside(source, target, aside, lane)
    return _below(source, target, lane)


def _onward(begin: Point, end: Point) -> Curve:
    bend = max(24, (end[0] - begin[0]) // 2)
    return Curve((begin, (begin[0] + bend, begin[1]), (end[0] - bend, end[1]), end))


def _above(source: Point, target: Point, tops: Sequence[int], lane: int) -> Curve:
    (x1, y1), (x2, y2) = source, target
    high = min(y1, y2, *tops) - _out(x2 - x1, lane)
    begin, end = (x1 + WIDTH * 3 // 4, y1), (x2 + WIDTH // 4, y2)
    return Curve((begin, (begin[0], high), (end[0], high), end))


def _below(source: Point, target: Point, lane: int) -> Curve:
    (x1, y1), (x2, y2) = source, target
    begin, end = (x1 + WIDTH * 3 // 4, y1 + HEIGHT), (x2 + WIDTH // 4, y2 + HEIGHT)
    low = max(begin[1], end[1]) + _out(x1 - x2, lane)
    return Curve((begin, (begin[0], low), (end[0], low), end))


def _beside(source: Point, target: Point, aside: int, lane: int) -> Curve:
    (x1, y1), (x2, y2) = source, target
    begin, end = (x1 + WIDTH, y1 + HEIGHT // 2 + aside), (x2 + WIDTH, y2 + HEIGHT // 2 - aside)
    right = max(begin[0], end[0]) + _out(abs(y2 - y1) * 4, lane)
    return Curve((begin, (right, begin[1]), (right, end[1]), end))


def _out(distance: int, lane: int) -> int:
    return OUT + APART * lane + min(MOST_OUT, APART * distance // GRID)


def _hit(curve: Curve, boxes: Sequence[Point]) -> Iterator[Point]:
    """Those boxes that the curve runs through."""
    passes = curve.passes(MANY)
    left, right = min(x for x, _ in passes), max(x for x, _ in passes)
    top, bottom = min(y for _, y in passes), max(y for _, y in passes)
    for x, y in boxes:
        if x > right or x + WIDTH < left or y > bottom or y + HEIGHT < top:
            continue
        if any(x <= px <= x + WIDTH and y <= py <= y + HEIGHT for px, py in passes):
            yield x, y
