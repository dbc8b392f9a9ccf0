"""A page with a stream about a subject in memory, and what looks at it over real sockets."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from accounts.errors import Forbidden, NotFound
from config.urls import urlpatterns as pages
from dashboard import streams
from dashboard.streams import Event, Reading, Subject
from dashboard.streams.layer import Streams
from tests.serving import Served
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


@dataclass(frozen=True)
class Place:
    streams: Streams
    served: Served
    url: str


def until(true: Callable[[], bool]) -> None:
    ends, tick = time.monotonic() + SECONDS, threading.Event()
    while not true():
        assert time.monotonic() < ends
        tick.wait(0.01)


def bodies(sent: list[Sent]) -> list[str]:
    return [one.body for one in sent]


class watching:  # noqa: N801 - reads as what it does
    """So many streams of one session at once."""

    def __init__(self, place: Place, session: str, count: int) -> None:
        self._opened = [opened(place.url, session) for _ in range(count)]

    def __enter__(self) -> list[Any]:
        return [stream.__enter__() for stream in self._opened]

    def __exit__(self, *_: object) -> None:
        for stream in self._opened:
            stream.__exit__(None, None, None)
