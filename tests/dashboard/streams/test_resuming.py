"""What is sent: each line once and in its order, however late and however far behind one comes."""

import pytest

from dashboard.streams import feed
from tests.dashboard.streams.story import Place, Story, bodies, notify
from tests.sse import Sent, opened


def test_what_happens_is_sent_as_it_happens_until_it_is_over(place: Place, story: Story, session: str) -> None:
    story.lines = ["one"]
    with opened(place.url, session) as stream:
        assert stream.events(1) == [Sent("line", "one", "1")]
        story.tell("two\nof two lines")
        assert stream.events(1) == [Sent("line", "two\nof two lines", "2")]
        story.tell("three", over=True)
        assert stream.rest() == [Sent("line", "three", "3"), Sent("over")]


def test_a_line_cannot_forge_an_event(place: Place, story: Story, session: str) -> None:
    story.tell("quiet\r\rid: 99\revent: over\r\ndata: forged\n\nevent: over", over=True)
    with opened(place.url, session) as stream:
        told, ended = stream.rest()
    assert (told.name, told.id) == ("line", "1")
    assert "event: over" in told.body
    assert ended == Sent("over")


@pytest.mark.parametrize(
    ("address", "headers", "expected"),
    [
        ("", {}, ["one", "two", "three"]),
        ("?after=1", {}, ["two", "three"]),
        ("?after=1", {"Last_Event_ID": "2"}, ["three"]),
        ("?after=nonsense", {"Last_Event_ID": "-1"}, ["one", "two", "three"]),
        ("?after=999999999", {}, []),
    ],
)
def test_a_stream_goes_on_after_what_is_known(
    place: Place, story: Story, session: str, address: str, headers: dict[str, str], expected: list[str]
) -> None:
    story.tell("one", "two", "three", over=True)
    with opened(place.url + address, session, **headers) as stream:
        assert bodies(stream.rest()) == [*expected, ""]


def test_who_claims_to_know_too_much_keeps_nothing_from_others(place: Place, story: Story, session: str) -> None:
    story.lines = ["one"]
    with opened(f"{place.url}?after=999999999", session) as ahead, opened(place.url, session) as stream:
        assert bodies(stream.events(1)) == ["one"]
        story.tell("two", over=True)
        assert bodies(stream.rest()) == ["two", ""]
        assert bodies(ahead.rest()) == [""]


def test_each_who_comes_back_has_every_line_once_however_far_behind(
    place: Place, story: Story, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MOST_KEPT", 10)
    story.most = 7
    story.lines = [f"line {number}" for number in range(1, 61)]
    with opened(f"{place.url}?after=58", session) as first:
        first.events(2)
        story.tell(*(f"line {number}" for number in range(61, 91)))
        first.events(30)
        with opened(place.url, session) as all_of_it, opened(f"{place.url}?after=85", session) as latest:
            assert [one.id for one in all_of_it.events(90)] == [str(number) for number in range(1, 91)]
            assert [one.id for one in latest.events(5)] == ["86", "87", "88", "89", "90"]
            story.tell("the end", over=True)
            assert [bodies(each.rest()) for each in (first, all_of_it, latest)] == [["the end", ""]] * 3


def test_who_comes_when_the_first_lines_are_kept_no_more_has_them_all_the_same(
    place: Place, story: Story, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MOST_KEPT", 3)
    with opened(place.url, session) as first:
        for number in range(1, 8):
            story.tell(f"line {number}")
            assert [one.id for one in first.events(1)] == [str(number)]
        with opened(f"{place.url}?after=1", session) as later:
            assert [one.id for one in later.events(6)] == ["2", "3", "4", "5", "6", "7"]


def test_who_comes_late_to_a_long_story_has_all_of_it_before_it_is_over(
    place: Place, story: Story, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MOST_KEPT", 10)
    story.most = 7
    story.tell(*(f"line {number}" for number in range(1, 91)), over=True)
    with opened(place.url, session) as stream:
        assert [one.id for one in stream.rest()] == [*(str(number) for number in range(1, 91)), ""]
    # What lies far from the end is read for the one who wants it, and not by the feed as well.
    assert story.readings <= 90 / 7 + 5


def test_a_picture_is_given_to_everybody_who_comes_and_again_only_when_it_changes(
    place: Place, story: Story, session: str
) -> None:
    story.picture = "sunny"
    with opened(place.url, session) as first:
        assert first.events(1) == [Sent("now", "sunny")]
        story.tell("one")
        assert first.events(1) == [Sent("line", "one", "1")]
        with opened(f"{place.url}?after=1", session) as second:
            assert second.events(1) == [Sent("now", "sunny")]
            story.picture = "rain"
            notify()
            assert [first.events(1), second.events(1)] == [[Sent("now", "rain")]] * 2
