"""One pace for all processes: what a claim waits for, and that many processes together stay below every limit."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from bots.discord.rest import DiscordRateLimited
from bots.models import RateLimitBucket, rate_limits
from bots.models.rate_limits import EVERYTHING_LIMIT, Place, Report, WindowReport
from tests.bots.discord import hammer
from tests.fakes.discord import ServedDiscord

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES = 4


def _claim(route: str = "GET /guilds/{guild}", *, major: int = 1, token: str = "a") -> Place:
    place = _try(route, major=major, token=token)
    assert isinstance(place, Place)
    return place


def _try(route: str = "GET /guilds/{guild}", *, major: int = 1, token: str = "a") -> Place | float | None:
    return RateLimitBucket.objects.claim(token, route, major)


def _answered(place: Place, window: WindowReport) -> None:
    RateLimitBucket.objects.give_back(place, Report(window))


def _window(remaining: int, *, bucket: str = "b1", limit: int = 5, mark: float = 100, left: float = 60) -> WindowReport:
    return WindowReport(bucket, limit, remaining, mark, left)


def test_a_route_that_is_not_known_yet_lets_one_request_through_at_a_time() -> None:
    first = _claim()
    assert not isinstance(_try(), Place)

    RateLimitBucket.objects.give_back(first, None)

    _claim()


def test_no_more_requests_are_on_their_way_than_remain() -> None:
    _answered(_claim(), _window(3))

    for _ in range(3):
        _claim()

    assert not isinstance(_try(), Place)


def test_an_empty_bucket_says_when_it_opens() -> None:
    _answered(_claim(), _window(0, left=60))

    wait = _try()

    assert isinstance(wait, float)
    assert 30 < wait <= 60


def test_a_window_that_is_over_opens_the_whole_limit_less_what_is_on_its_way() -> None:
    _answered(_claim(), _window(1, left=60))
    _claim()
    RateLimitBucket.objects.filter(name="b1").update(resets_at=Now() - timedelta(seconds=1))

    for _ in range(4):
        _claim()

    assert not isinstance(_try(), Place)


def test_answers_that_overtake_each_other_leave_the_smallest_remainder() -> None:
    _answered(_claim(), _window(4))
    early, late = _claim(), _claim()

    _answered(late, _window(2))
    _answered(early, _window(3))

    assert RateLimitBucket.objects.get(name="b1").remaining == 2


def test_an_answer_about_an_older_window_is_not_listened_to() -> None:
    _answered(_claim(), _window(4))
    slow, fast = _claim(), _claim()

    _answered(fast, _window(0, mark=160, left=60))
    _answered(slow, _window(3, mark=100, left=0.1))

    bucket = RateLimitBucket.objects.get(name="b1")
    assert (bucket.remaining, bucket.window_mark) == (0, 160)
    assert not isinstance(_try(), Place)


def test_routes_that_count_in_one_bucket_share_it_and_guilds_do_not() -> None:
    _answered(_claim("PUT ban"), _window(4, bucket="bans"))
    _answered(_claim("DELETE ban"), _window(0, bucket="bans"))

    assert not isinstance(_try("PUT ban"), Place)
    assert isinstance(_try("PUT ban", major=2), Place)
    assert isinstance(_try("PUT ban", token="another bot's"), Place)


def test_a_bucket_that_discord_renames_is_followed() -> None:
    _answered(_claim(), _window(0, bucket="old", left=60))
    RateLimitBucket.objects.filter(name="old").update(resets_at=Now() - timedelta(seconds=1))

    _answered(_claim(), _window(4, bucket="new", mark=200))

    assert _claim().bucket == "new"


def test_the_claim_of_a_process_that_died_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "LEASE_SECONDS", 0.0)

    _claim()

    _claim()


def test_a_lost_request_counts_as_used_until_discord_says_otherwise() -> None:
    _answered(_claim(), _window(2))

    RateLimitBucket.objects.give_back(_claim(), None, lost=True)

    assert RateLimitBucket.objects.get(name="b1").remaining == 1


def test_the_fifty_places_of_a_token_stay_taken_for_a_while_after_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    # Longer than the second that it really is, so that a slow machine does not see it pass.
    monkeypatch.setattr(rate_limits, "EVERYTHING_SECONDS", 20.0)
    places = [_claim(major=guild) for guild in range(EVERYTHING_LIMIT)]
    assert not isinstance(_try(major=999), Place)

    for place in places:
        RateLimitBucket.objects.give_back(place, None)

    assert not isinstance(_try(major=999), Place)


def test_a_request_on_its_way_is_not_waited_for_until_its_lease_ends(discord: ServedDiscord) -> None:
    _claim("GET /users/@me", major=0, token=sha256(discord.token.encode()).hexdigest())

    with pytest.raises(DiscordRateLimited) as limited:
        discord.client(patience=0.3).current_user()

    assert limited.value.retry_after < 1


def test_a_refusal_by_the_common_limit_leaves_the_bucket_as_it_was() -> None:
    for guild in range(EVERYTHING_LIMIT):
        _claim(major=guild)

    _try(major=999)

    assert not RateLimitBucket.objects.filter(major=999).exists()


def test_buckets_that_nobody_used_for_a_day_are_pruned() -> None:
    _answered(_claim(), _window(4))
    RateLimitBucket.objects.filter(name="b1").update(used_at=Now() - timedelta(days=2))

    assert RateLimitBucket.objects.prune() == 1
    assert not RateLimitBucket.objects.filter(name="b1").exists()


@pytest.fixture(scope="module")
def processes(django_db_setup: None) -> Iterator[ProcessPoolExecutor]:
    spawn = multiprocessing.get_context("spawn")
    database = connection.settings_dict["NAME"]
    gate = spawn.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, mp_context=spawn, initializer=hammer.begin, initargs=(database, gate)) as pool:
        yield pool


def _hammer(pool: ProcessPoolExecutor, work: Any, *arguments: Any) -> None:
    for future in [pool.submit(hammer.together, partial(work, *arguments, seed)) for seed in range(PROCESSES)]:
        future.result(timeout=120)


@pytest.mark.faults
def test_many_processes_never_meet_a_429_in_one_bucket(discord: ServedDiscord, processes: ProcessPoolExecutor) -> None:
    _hammer(processes, hammer.read_guild, discord.url, discord.token, discord.guild_id)

    requests = discord.requests()
    assert [request["status"] for request in requests] == [200] * (PROCESSES * hammer.READS)
    # Ten in five seconds: the limit was reached, so it was the pace and not slowness that kept below it.
    assert requests[-1]["at"] - requests[0]["at"] > 4


@pytest.mark.faults
def test_without_the_shared_pace_the_same_processes_meet_429s(
    discord: ServedDiscord, processes: ProcessPoolExecutor
) -> None:
    _hammer(processes, hammer.read_guild_unpaced, discord.url, discord.token, discord.guild_id)

    assert 429 in {request["status"] for request in discord.requests()}


@pytest.mark.faults
def test_many_processes_together_send_at_most_fifty_in_any_second(
    discord: ServedDiscord, processes: ProcessPoolExecutor
) -> None:
    with discord.changing() as world:
        guild = world.guilds[discord.guild_id]
        channels = [world.add_channel(guild, f"channel-{number}").id for number in range(120)]

    _hammer(processes, hammer.read_channels, discord.url, discord.token, channels)

    requests = discord.requests(lambda request: request["path"].startswith("/channels/"))
    assert [request["status"] for request in requests] == [200] * len(channels)
    times = sorted(request["at"] for request in requests)
    busiest = max(sum(1 for at in times if begin <= at < begin + 1) for begin in times)
    assert busiest <= EVERYTHING_LIMIT
