"""The picture of a graph."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given

from tests.workflows.graphs import graph, node, sound_graphs, way
from workflows.graph.shapes import Graph
from workflows.models import Workflow
from workflows.pages import live
from workflows.pages.drawing import FONT_SIZE, PADDING, Box, Drawing, Line, draw
from workflows.pages.lettering import width_of, wrapped
from workflows.pages.ways import HEIGHT, WIDTH

pytestmark = pytest.mark.django_db


def drawn(*parts: dict[str, Any]) -> Drawing:
    return draw(Graph.model_validate(graph(*parts)))


def at(identifier: str, x: int, y: int, **fields: Any) -> dict[str, Any]:
    return node(identifier, position={"x": x, "y": y}, **fields)


def runs_through(line: Line, box: Box) -> bool:
    inside = (
        box.x + 2 < x < box.x + box.width - 2 and box.y + 2 < y < box.y + box.height - 2
        for x, y in line.curve.passes(100)
    )
    return any(inside)


@given(parts=sound_graphs())
def test_no_box_of_a_picture_lies_on_another(parts: dict[str, Any]) -> None:
    drawing = draw(Graph.model_validate(parts))
    assert len(drawing.boxes) == len(parts["nodes"])
    assert len(drawing.lines) == len(parts["transitions"])
    for one, other in combinations(drawing.boxes, 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT
    assert all(0 <= box.x <= drawing.width - WIDTH and 0 <= box.y <= drawing.height - HEIGHT for box in drawing.boxes)
    for line in drawing.lines:
        assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in line.curve.passes(50))


def test_each_of_many_transitions_between_the_same_two_can_be_seen() -> None:
    ways = [way("a", "b", id=f"on{number}") for number in range(8)]
    back = [way("b", "a", id=f"back{number}") for number in range(3)]
    again = [way("a", "a", id=f"again{number}") for number in range(3)]
    drawing = drawn(at("a", 0, 0), at("b", 300, 0), *ways, *back, *again)
    assert len({line.curve.path for line in drawing.lines}) == 14


@pytest.mark.parametrize(
    "places", [[(0, 0), (300, 0), (600, 0)], [(0, 0), (0, 150), (0, 300)]], ids=["a row", "a column"]
)
def test_a_line_that_passes_a_box_goes_round_it(places: list[tuple[int, int]]) -> None:
    nodes = [at(name, *place) for name, place in zip("abc", places, strict=True)]
    drawing = drawn(*nodes, way("a", "c"), way("c", "a"))
    assert not any(runs_through(line, drawing.boxes[1]) for line in drawing.lines)


def test_up_and_down_between_the_same_two_are_two_lines() -> None:
    down, up = drawn(at("a", 0, 0), at("b", 0, 150), way("a", "b"), way("b", "a")).lines
    assert not set(down.curve.passes(50)) & set(up.curve.passes(50))


def test_nodes_that_lie_far_from_all_others_are_put_beside_them() -> None:
    drawing = drawn(at("a", 0, 0), at("b", 18_000, 0), at("end", 9_000, 9_000), way("a", "b"), way("b", "end"))
    assert drawing.width < 1_000
    assert drawing.height < 200


@pytest.mark.parametrize("letter", ["W", "i", "e", "注", "🚢", "م"])
def test_a_long_name_stays_in_its_box_however_wide_its_letters_are(letter: str) -> None:
    box = drawn(node("a", name=letter * 60)).boxes[0]
    assert sum(map(width_of, box.name)) * FONT_SIZE <= box.width - 2 * PADDING
    assert box.name.endswith("…")
    assert box.title == letter * 60


def test_a_node_without_a_name_is_shown_by_its_id() -> None:
    assert drawn(node("a", name=" ")).boxes[0].name == "a"


def test_words_longer_than_a_line_are_broken_and_none_is_lost() -> None:
    lines = wrapped("one " + "x" * 60 + " two", 10)
    assert "".join(lines).replace(" ", "") == "one" + "x" * 60 + "two"
    assert all(sum(map(width_of, line)) <= 10 for line in lines)


def test_a_failed_run_is_marked_at_the_node_where_it_failed(workflow: Workflow) -> None:
    parts = {"workflow_id": workflow.pk, "node_id": "ask"}
    assert "HTTP request, failed here" in live.picture(**parts, has_failed=True)
    assert "HTTP request, here now" in live.picture(**parts, has_failed=False)
