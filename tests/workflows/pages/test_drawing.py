"""The picture of a graph."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given

from tests.workflows.graphs import sound_graphs
from workflows.graph.shapes import Graph
from workflows.pages.drawing import HEIGHT, WIDTH, draw

pytestmark = pytest.mark.django_db


@given(parts=sound_graphs())
def test_no_box_of_a_picture_lies_on_another(parts: dict[str, Any]) -> None:
    drawing = draw(Graph.model_validate(parts))
    assert len(drawing.boxes) == len(parts["nodes"])
    assert len(drawing.lines) == len(parts["transitions"])
    for one, other in combinations(drawing.boxes, 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT
    assert all(0 <= box.x <= drawing.width - WIDTH and 0 <= box.y <= drawing.height - HEIGHT for box in drawing.boxes)
