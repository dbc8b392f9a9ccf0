"""How often something may be tried: exact over connections, in PostgreSQL and in Redis alike."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from security.models import ThrottleCounter
from security.throttle import Limit
from tests.threads import at_once

GUESSES = Limit("guesses", 3, 60)


@pytest.fixture(params=["postgresql", "redis"])
def store(request: pytest.FixtureRequest, settings: Any, transactional_db: None) -> str:
    settings.REDIS_URL = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    return str(request.param)


def test_as_many_pass_as_may_and_the_next_is_told_how_long_to_wait(store: str) -> None:
    assert [GUESSES.hit("ada") for _ in range(3)] == [0, 0, 0]
    assert 30 <= GUESSES.hit("ada") <= 60


def test_each_key_and_each_limit_counts_for_itself(store: str) -> None:
    for _ in range(3):
        GUESSES.hit("ada")
    assert GUESSES.hit("grace") == 0
    assert Limit("others", 3, 60).hit("ada") == 0


def test_a_forgotten_key_starts_anew(store: str) -> None:
    for _ in range(4):
        GUESSES.hit("ada")
    GUESSES.forget("ada")
    assert GUESSES.hit("ada") == 0


def test_of_many_at_once_exactly_as_many_pass_as_may(store: str) -> None:
    ten = Limit("at once", 10, 60)
    outcomes = [wait == 0 for _ in range(4) for wait in at_once(*[lambda: ten.hit("ada")] * 8)]
    assert sum(outcomes) == 10


def test_keys_that_cannot_be_stored_are_counted_all_the_same(store: str) -> None:
    for key in ("nul\x00", "half\ud800", "x" * 10_000, ""):
        assert GUESSES.hit(key) == 0


@pytest.mark.django_db
def test_a_window_that_is_over_counts_from_one_again() -> None:
    for _ in range(4):
        GUESSES.hit("ada")
    ThrottleCounter.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert GUESSES.hit("ada") == 0
    assert ThrottleCounter.objects.get().count == 1


@pytest.mark.django_db
def test_counters_whose_window_is_over_are_swept_away_by_later_ones() -> None:
    for number in range(5):
        GUESSES.hit(f"old {number}")
    ThrottleCounter.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    GUESSES.hit("new")
    assert ThrottleCounter.objects.count() == 1


@pytest.mark.django_db
def test_without_the_redis_it_was_told_of_it_counts_in_postgresql(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert [GUESSES.hit("ada") > 0 for _ in range(4)] == [False, False, False, True]
    assert "Redis does not answer" in caplog.text
