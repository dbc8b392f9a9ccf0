"""Notices wake the feeds: nothing is missed where one is lost, the listener falls silent, or the database is away."""

import os
import signal

import psycopg
import pytest
from django.db import connection

from dashboard.streams import feed, notices
from tests.dashboard.streams.story import CHANNEL, Place, Story, bodies, until
from tests.sse import opened


def test_a_lost_notice_costs_a_look(place: Place, story: Story, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.2)
    with opened(place.url, session) as stream:
        story.tell("one")
        stream.events(1)
        story.tell("two", notice=False)
        assert bodies(stream.events(1)) == ["two"]


@pytest.fixture
def without_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks of its own would hide that nobody was woken."""
    monkeypatch.setattr(feed, "LOOK_SECONDS", 3_600)
    monkeypatch.setattr(feed, "DEAF_LOOK_SECONDS", 3_600)


def test_nothing_is_missed_while_the_listening_connection_is_lost(
    place: Place, story: Story, session: str, without_looks: None
) -> None:
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
    place: Place, story: Story, session: str, monkeypatch: pytest.MonkeyPatch, without_looks: None
) -> None:
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
