"""Streams are bounded: read once for all who look on, counted, and without threads or connections of their own."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.http import HttpRequest, HttpResponse
from pytest_django import Settings

from dashboard import streams
from dashboard.streams import Subject, feed, layer
from security import csp
from tests.connections import connection_count
from tests.dashboard.streams.story import SECONDS, Place, Story, bodies, until, watching
from tests.factories import UserFactory
from tests.pages import session_of
from tests.sse import opened


def test_fifty_who_look_on_cost_no_more_readings_than_one(
    place: Place, story: Story, session: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMS_PER_PERSON = 50
    monkeypatch.setattr(feed, "LOOK_SECONDS", 3_600)
    with watching(place, session, 50) as many:
        story.tell("one")
        for stream in many:
            stream.events(1)
        before = story.readings
        for number in range(5):
            story.tell(f"line {number}")
            for stream in many:
                assert bodies(stream.events(1)) == [f"line {number}"]
        # A notice that comes during a reading may bring another one.
        assert story.readings - before <= 2 * 5


def test_a_person_has_so_many_streams_and_no_more(place: Place, session: str, settings: Settings) -> None:
    settings.STREAMS_PER_PERSON = 2
    with watching(place, session, 2) as first:
        with opened(place.url, session) as refused:
            assert refused.response.status_code == 429
            assert int(refused.response.headers["retry-after"])
            assert "too many live pages" in refused.response.read().decode()
            assert refused.response.headers["content-security-policy"] == csp.POLICY
        with opened(place.url, session_of(UserFactory())) as another:
            assert another.response.status_code == 200
        first[0].response.close()
        until(lambda: len(place.streams._open) == 1)
        with opened(place.url, session) as again:
            assert again.response.status_code == 200


def test_a_process_has_so_many_streams_and_no_more(place: Place, session: str, settings: Settings) -> None:
    settings.STREAMS_PER_PROCESS = 1
    with opened(place.url, session), opened(place.url, session_of(UserFactory())) as refused:
        assert refused.response.status_code == 503
        assert "no room" in refused.response.read().decode()


def test_streams_hold_neither_threads_nor_database_connections_and_leave_nothing_behind(
    place: Place, story: Story, session: str
) -> None:
    with opened(place.url, session) as one:
        story.tell("one")
        one.events(1)
        # What tests before this one left behind is there already, and the one stream has all that any has.
        held = len(threads())
        with watching(place, session, 12) as many:
            for stream in many:
                stream.events(1)
            until(lambda: len(threads()) <= held)
            # The test's, the listening one, the two of the way into the domain, and what others may have left.
            until(lambda: connection_count() <= CONNECTIONS)
    until(lambda: not place.streams._open)
    assert not place.streams._feeds
    assert running(place) == 0


# Fewer than the streams of that test by far: if each held one, there would be twelve more.
CONNECTIONS = 10


def threads() -> list[str]:
    """Those that are not kept for every use: the domain's, and the event loop's own for what would block it."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if not name.startswith(("domain-", "asyncio_"))]


def test_many_who_come_at_once_are_let_in_a_few_at_a_time(
    place: Place, story: Story, session: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has a database connection while it is let in; PostgreSQL has a hundred of them."""
    settings.STREAMS_PER_PERSON = 60
    most: list[int] = []
    inside: set[object] = set()

    def counted(request: HttpRequest, subject: Subject) -> HttpResponse:
        inside.add(request)
        most.append(len(inside))
        threading.Event().wait(0.02)
        inside.remove(request)
        return answer(request, subject)

    answer = streams.answer
    monkeypatch.setattr(streams, "answer", counted)
    story.tell("one", over=True)
    with ThreadPoolExecutor(40) as crowd:
        told = list(crowd.map(lambda _: came(place, session), range(40)))
    assert told == [["one", ""]] * 40
    assert max(most) <= layer.OPENED_AT_ONCE


def came(place: Place, session: str) -> list[str]:
    with opened(place.url, session) as stream:
        return bodies(stream.rest())


def running(place: Place) -> int:
    """Tasks of streams and feeds in the event loop."""
    import asyncio

    async def count() -> int:
        names = ("Feed._run", "Stream", "until_left")
        return sum(any(name in repr(task.get_coro()) for name in names) for task in asyncio.all_tasks())

    return asyncio.run_coroutine_threadsafe(count(), place.served.loop).result(SECONDS)
