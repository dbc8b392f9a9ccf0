"""Sticky notes in the picture of a graph: what they say, their colour, and where they stand."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from tests.agents_hub.factories import member_of
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph, node, sound, sound_graphs
from workflows.graph.shapes import Graph
from workflows.pages.drawing import MARGIN, Drawing, draw
from workflows.pages.lettering import width_of
from workflows.pages.notes import HUES, LINE, MOST_LINES, hue_of, lines_of


def note(content: str = "Look here", **fields: Any) -> dict[str, Any]:
    return {"id": content[:20], "content": content, **fields}


def drawn(parts: dict[str, Any], *notes: dict[str, Any]) -> Drawing:
    return draw(Graph.model_validate({**parts, "sticky_notes": list(notes)}))


def test_a_note_stands_where_the_canvas_has_it_beside_the_boxes() -> None:
    parts = graph(node("a", position={"x": 100, "y": 100}), node("b", "output", position={"x": 400, "y": 100}))
    picture = drawn(parts, note(position={"x": -50, "y": 260}))
    [sticky], [first, _] = picture.notes, picture.boxes
    assert (sticky.x, sticky.y) == (MARGIN, MARGIN + 160)
    assert (first.x - sticky.x, sticky.y - first.y) == (150, 160)


def test_notes_without_a_place_or_beside_boxes_laid_out_anew_stand_below_them() -> None:
    placed = note("Far", position={"x": 5, "y": 5})
    for picture in (drawn(sound(), note("One"), placed), drawn(graph(), note("One"), note("Two"))):
        low = max((box.y + box.height for box in picture.boxes), default=0)
        assert all(sticky.y > low for sticky in picture.notes)
        one, other = picture.notes
        assert abs(one.x - other.x) >= one.width


@given(
    parts=sound_graphs(),
    notes=st.lists(
        st.builds(
            note,
            content=st.text(max_size=300),
            color=st.none() | st.text(max_size=30) | st.sampled_from(["#ff0", "#12ab9e", "pink"]),
            position=st.none() | st.fixed_dictionaries({"x": st.floats(-1e5, 1e5), "y": st.floats(-1e5, 1e5)}),
        ),
        max_size=6,
    ),
)
def test_every_note_is_in_the_picture_whole(parts: dict[str, Any], notes: list[dict[str, Any]]) -> None:
    notes = [{**one, "id": f"note-{number}"} for number, one in enumerate(notes)]
    picture = drawn(parts, *notes)
    assert sorted(one.content for one in picture.notes) == sorted(one["content"] for one in notes)
    for one in picture.notes:
        assert 0 <= one.x <= picture.width - one.width
        assert 0 <= one.y <= picture.height - one.height
        assert len(one.lines) <= MOST_LINES
        assert all(sum(map(width_of, line)) <= LINE + 1e-6 for line in one.lines)
        assert one.hue in {*HUES, "grey"}


@pytest.mark.parametrize(
    ("color", "hue"),
    [
        (None, "yellow"),
        ("", "yellow"),
        ("Green", "green"),
        ("#fff176", "yellow"),
        ("#81c784", "green"),
        ("#64b5f6", "blue"),
        ("#f06292", "red"),
        ("#ba68c8", "purple"),
        ("#eee", "grey"),
        ("#64b5f680", "blue"),
        ('"/><script>', "yellow"),
        ("url(https://evil.example)", "yellow"),
    ],
)
def test_a_colour_becomes_the_nearest_of_the_pages_own(color: str | None, hue: str) -> None:
    assert hue_of(color) == hue


def test_a_long_note_is_cut_in_the_picture_and_hints_at_it() -> None:
    lines = lines_of("word " * 200)
    assert len(lines) == MOST_LINES
    assert lines[-1].endswith("…")
    assert lines_of("one\n\ntwo") == ["one", "", "two"]


@pytest.mark.django_db
def test_a_versions_page_shows_its_notes_as_text_and_runs_nothing_in_them(client: Client) -> None:
    parts = {**sound(), "sticky_notes": [note("Ask <b>Ada</b> first", color='red" onload="alert(1)')]}
    workflow = WorkflowFactory(graph=parts)
    client.force_login(member_of(workflow.agent.organization))
    shown = client.get(reverse("workflows:version", args=[workflow.agent_id, workflow.pk])).content.decode()
    picture = shown.split('<svg class="picture"')[1].split("</svg>")[0]
    said = "Ask &lt;b&gt;Ada&lt;/b&gt; first"
    assert f"<title>{said}</title>" in picture
    assert f">{said}</text>" in picture
    assert f"<li>{said}</li>" in shown
    assert "onload" not in picture
    assert "3 nodes, 2 transitions, 1 note" in shown
