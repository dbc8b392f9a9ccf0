"""Streams of pages over real sockets: resumed without loss, read once for all, bounded, and ended when they have to."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest
from django.contrib.auth.decorators import login_required
from django.core.asgi import get_asgi_application
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import override_settings
from django.urls import path
from pytest_django import Settings

from accounts.errors import Forbidden, NotFound
from accounts.models import User
from config.body_limit import BodyLimit
from config.edge import Edge
from config.urls import urlpatterns as pages
from dashboard import streams
from dashboard.streams import Event, Reading, Subject, feed, layer, notices
from dashboard.streams.layer import Streams
from dashboard.streams.notices import Notices
from mcp_gateway import offload
from mcp_gateway.asgi import mount
from mcp_gateway.hot import connection_parameters
from mcp_gateway.offload import in_domain
from security import csp
from tests.factories import UserFactory
from tests.pages import session_of, signed_in
from tests.serving import Served, serve
from tests.sse import Sent, opened

CHANNEL = "test_streams"
SECONDS = 20


@dataclass
class Story:
    """A subject in memory, so that each reading of it can be counted and made to fail."""

    lines: list[str] = field(default_factory=list)
    picture: str = ""
    is_over: bool = False
    is_gone: bool = False
    fails: bool = False
    refuses: bool = False
    most: int = 100
    readings: int = 0

    def tell(self, *lines: str, over: bool = False, notice: bool = True) -> None:
        self.lines += lines
        self.is_over = over
        if notice:
            notify()


def notify() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, 'story')", [CHANNEL])


stories: dict[str, Story] = {}


def read(key: str, after: int) -> Reading:
    story = stories[key]
    story.readings += 1
    if story.fails:
        raise OperationalError("the database is away")
    if story.is_gone:
        raise NotFound("There is no such story.")
    told = list(enumerate(story.lines, 1))[after : after + story.most]
    pictures = [Event("now", story.picture)] if story.picture else []
    return Reading(
        [*pictures, *(Event("line", line, number) for number, line in told)], len(story.lines), story.is_over
    )


def check() -> None:
    if stories["story"].refuses:
        raise Forbidden("Not yours any longer.")


@login_required
def watch(request: HttpRequest) -> HttpResponse:
    return streams.answer(request, Subject(CHANNEL, "story", read, check))


def refuse(request: HttpRequest) -> HttpResponse:
    watch(request)
    raise Forbidden("Not yours.")


class Urls:
    urlpatterns = [path("watch", watch), path("watch/refused", refuse), *pages]


@pytest.fixture
def story() -> Iterator[Story]:
    stories["story"] = Story()
    yield stories["story"]
    stories.clear()


@dataclass(frozen=True)
class Place:
    streams: Streams
    served: Served
    url: str


@pytest.fixture
def place(transactional_db: None, story: Story) -> Iterator[Place]:
    with override_settings(ROOT_URLCONF=Urls):
        notices = Notices(connection_parameters)
        around = Streams(get_asgi_application(), hop=in_domain, notices=notices)
        beside = [notices.running, around.running]
        with serve(Edge(mount(BodyLimit(around), {}, beside=beside), proxies=[])) as served:
            yield Place(around, served, f"http://127.0.0.1:{served.port}/watch")
            served.loop.call_soon_threadsafe(around.end)
    offload.close()


@pytest.fixture
def person(transactional_db: None) -> User:
    return UserFactory()


@pytest.fixture
def session(person: User) -> str:
    return session_of(person)


def until(true: Callable[[], bool]) -> None:
    ends, tick = time.monotonic() + SECONDS, threading.Event()
    while not true():
        assert time.monotonic() < ends
        tick.wait(0.01)


def bodies(sent: list[Sent]) -> list[str]:
    return [one.body for one in sent]


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


class watching:  # noqa: N801 - reads as what it does
    """So many streams of one session at once."""

    def __init__(self, place: Place, session: str, count: int) -> None:
        self._opened = [opened(place.url, session) for _ in range(count)]

    def __enter__(self) -> list[Any]:
        return [stream.__enter__() for stream in self._opened]

    def __exit__(self, *_: object) -> None:
        for stream in self._opened:
            stream.__exit__(None, None, None)


def test_a_lost_notice_costs_a_look(place: Place, story: Story, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.2)
    with opened(place.url, session) as stream:
        story.tell("one")
        stream.events(1)
        story.tell("two", notice=False)
        assert bodies(stream.events(1)) == ["two"]


def test_nothing_is_missed_while_the_listening_connection_is_lost(
    place: Place, story: Story, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Looks of its own would hide that nobody was woken.
    monkeypatch.setattr(feed, "LOOK_SECONDS", 3_600)
    monkeypatch.setattr(feed, "DEAF_LOOK_SECONDS", 3_600)
    with opened(place.url, session) as stream:
        story.tell("one")
        stream.events(1)
        until(lambda: place.streams._notices.hears(CHANNEL))
        for number in (2, 3):
            cut_listeners()
            story.tell(f"line {number}", notice=False)
            assert bodies(stream.events(1)) == [f"line {number}"]
            until(lambda: place.streams._notices.hears(CHANNEL))
        story.tell("heard again")
        assert bodies(stream.events(1)) == ["heard again"]


def test_a_listening_connection_that_fell_silent_is_replaced_and_nothing_is_missed(
    place: Place, story: Story, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LOOK_SECONDS", 3_600)
    monkeypatch.setattr(feed, "DEAF_LOOK_SECONDS", 3_600)
    with opened(place.url, session) as stream:
        story.tell("one")
        stream.events(1)
        until(lambda: place.streams._notices.hears(CHANNEL))
        until(lambda: len(listeners()) == 1)
        (silent,) = listeners()
        monkeypatch.setattr(notices, "PROBE_TIMEOUT_SECONDS", 0.2)
        try:
            os.kill(silent, signal.SIGSTOP)
        except (PermissionError, ProcessLookupError):
            pytest.skip("the database is not this machine's own, so that its processes cannot be stopped")
        try:
            story.tell("two", notice=False)
            assert bodies(stream.events(1)) == ["two"]
        finally:
            os.kill(silent, signal.SIGCONT)


LISTENERS = "FROM pg_stat_activity WHERE application_name = 'asterism-notices' AND datname = current_database()"


def listeners() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pid {LISTENERS}")
        return [pid for (pid,) in cursor.fetchall()]


def cut_listeners() -> None:
    parameters = connection.get_connection_params()
    where = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if name in parameters}
    with psycopg.connect(**where, autocommit=True) as other:
        other.execute(f"SELECT pg_terminate_backend(pid) {LISTENERS}")


def test_a_database_that_is_away_ends_no_stream(
    place: Place, story: Story, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "DEAF_LOOK_SECONDS", 0.05)
    with opened(place.url, session) as stream:
        story.tell("one")
        stream.events(1)
        story.fails = True
        before = story.readings
        story.tell("two")
        until(lambda: story.readings > before + 2)
        story.fails = False
        assert bodies(stream.events(1)) == ["two"]


def test_a_subject_that_is_gone_ends_its_streams(place: Place, story: Story, session: str) -> None:
    with opened(place.url, session) as stream:
        story.tell("one")
        stream.events(1)
        story.is_gone = True
        notify()
        assert stream.rest() == [Sent("cut")]


def sign_out(person: User, session: str, client: httpx.Client) -> None:
    signed_in = Client()
    signed_in.cookies["sessionid"] = session
    signed_in.logout()


def deactivate(person: User, session: str, client: httpx.Client) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def change_password(person: User, session: str, client: httpx.Client) -> None:
    person.set_password("another lamp altogether")
    person.save()


def take_right(person: User, session: str, client: httpx.Client) -> None:
    stories["story"].refuses = True


@pytest.mark.parametrize("lose", [sign_out, deactivate, change_password, take_right])
def test_who_may_no_longer_look_on_is_cut_off_though_much_happens(
    place: Place, story: Story, person: User, session: str, settings: Settings, lose: Callable[..., None]
) -> None:
    settings.STREAM_BEAT_SECONDS = 0.3
    other = session_of(UserFactory())
    with opened(place.url, session) as stream, opened(place.url, other) as others, httpx.Client() as client:
        stream.until(":")
        story.tell("one")
        stream.until("line")
        lose(person, session, client)
        busy = threading.Event()

        def happening() -> None:
            for _ in range(200):
                if busy.wait(0.05):
                    break
                story.tell("more")
            connection.close()

        thread = threading.Thread(target=happening)
        thread.start()
        try:
            assert stream.until("cut")
            assert stream.rest() == []
        finally:
            busy.set()
            thread.join()
        if lose is not take_right:
            story.tell("for others", over=True)
            assert "for others" in bodies(others.rest())


def test_a_stranger_gets_no_stream(place: Place) -> None:
    with opened(place.url, "nobody") as stream:
        assert stream.response.status_code == 302


def test_a_view_that_refuses_after_all_gives_its_refusal(place: Place, story: Story, session: str) -> None:
    story.tell("not for them")
    with opened(f"{place.url}/refused", session) as stream:
        assert stream.response.status_code == 403
        assert "Not yours" in stream.response.read().decode()


def test_a_stream_bears_the_headers_of_every_page_and_none_that_let_it_be_gathered(place: Place, session: str) -> None:
    with opened(place.url, session, Accept_Encoding="gzip, br") as stream:
        headers = stream.response.headers
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert headers["content-security-policy"] == csp.POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]
    assert "content-encoding" not in headers
    assert "content-length" not in headers


def test_a_quiet_stream_shows_that_it_is_there(place: Place, session: str, settings: Settings) -> None:
    settings.STREAM_BEAT_SECONDS = 0.1
    with opened(place.url, session) as stream:
        assert stream.until(":")[-1] == Sent(":", "still here")
        assert stream.until(":")


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
            until(lambda: backends() <= BACKENDS)
    until(lambda: not place.streams._open)
    assert not place.streams._feeds
    assert running(place) == 0


# Fewer than the streams of that test by far: if each held one, there would be twelve more.
BACKENDS = 10


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


def backends() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def running(place: Place) -> int:
    """Tasks of streams and feeds in the event loop."""
    import asyncio

    async def count() -> int:
        names = ("Feed._run", "Stream", "until_left")
        return sum(any(name in repr(task.get_coro()) for name in names) for task in asyncio.all_tasks())

    return asyncio.run_coroutine_threadsafe(count(), place.served.loop).result(SECONDS)


def test_without_the_layer_a_view_says_that_it_cannot_stream(person: User, story: Story) -> None:
    with override_settings(ROOT_URLCONF=Urls):
        client = signed_in(person)
        answer = client.get("/watch")
    assert answer.status_code == 409
