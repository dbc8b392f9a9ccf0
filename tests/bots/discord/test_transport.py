"""What the client makes of a Discord that is slow, silent, busy or out of order."""

import socket
import time
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from accounts.errors import Invalid
from bots.discord.rest import DiscordClient, DiscordError, DiscordRateLimited, DiscordUnavailable
from bots.discord.rest.transport import MAX_ATTEMPTS, MAX_BODY_BYTES
from tests.fakes.discord import ServedDiscord

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_read_is_tried_again_after_a_server_error(discord: ServedDiscord) -> None:
    discord.fail(match="GET /users/@me", status=502)

    assert discord.client().current_user().id == discord.bot_id
    assert [request["status"] for request in discord.requests()] == [502, 200]


def test_a_server_that_keeps_failing_is_given_up_after_a_few_attempts(discord: ServedDiscord) -> None:
    discord.fail(match="DELETE *", status=503, times=100)

    with pytest.raises(DiscordUnavailable) as unavailable:
        discord.client().kick(discord.guild_id, discord.member_id, reason="x")

    assert unavailable.value.outcome_unknown
    assert "503" in unavailable.value.message
    assert len(discord.requests()) == MAX_ATTEMPTS


def test_a_kick_whose_answer_was_lost_counts_as_done_when_the_member_is_gone(discord: ServedDiscord) -> None:
    discord.fail(match="DELETE *", drop="after")

    discord.client().kick(discord.guild_id, discord.member_id, reason="x")

    assert [request["status"] for request in discord.requests()] == [0, 404]
    assert len(discord.guild.audit_log) == 1


def test_a_kick_of_somebody_who_was_gone_before_is_refused(discord: ServedDiscord) -> None:
    with pytest.raises(DiscordError, match="not in this guild"):
        discord.client().kick(discord.guild_id, discord.stranger_id, reason="x")


def test_a_kick_that_never_arrived_is_sent_again(discord: ServedDiscord) -> None:
    discord.fail(match="DELETE *", drop="before")

    discord.client().kick(discord.guild_id, discord.member_id, reason="x")

    assert discord.member_id not in discord.guild.members


def test_a_message_whose_answer_was_lost_is_not_sent_twice(discord: ServedDiscord) -> None:
    discord.fail(match="POST /channels/*", drop="after")

    sent = discord.client().send_message(discord.channel_id, "Once")

    assert [message.id for message in discord.world.messages] == [sent.id]


def test_a_429_is_waited_for_as_long_as_discord_says(discord: ServedDiscord) -> None:
    discord.fail(match="GET /users/@me", retry_after=0.4)
    begun = time.monotonic()

    assert discord.client().current_user().id == discord.bot_id

    assert time.monotonic() - begun >= 0.4
    assert [request["status"] for request in discord.requests()] == [429, 200]


def test_a_429_longer_than_the_patience_is_told_and_no_process_asks_again_before(discord: ServedDiscord) -> None:
    discord.fail(match="GET /users/@me", retry_after=40)
    with pytest.raises(DiscordRateLimited) as limited:
        discord.client().current_user()
    assert limited.value.retry_after == 40
    assert "40 s" in limited.value.message

    with pytest.raises(DiscordRateLimited) as limited:
        discord.client().current_user()

    assert 35 < limited.value.retry_after <= 40.1
    assert len(discord.requests()) == 1


def test_a_429_after_a_lost_answer_leaves_the_outcome_open(discord: ServedDiscord) -> None:
    discord.fail(match="DELETE *", drop="after")
    discord.fail(match="DELETE *", retry_after=40)

    with pytest.raises(DiscordUnavailable) as unavailable:
        discord.client().kick(discord.guild_id, discord.member_id, reason="x")

    assert unavailable.value.outcome_unknown


def test_a_429_for_one_route_leaves_the_others_free(discord: ServedDiscord) -> None:
    discord.fail(match="GET /users/@me", retry_after=40, scope="shared")
    with pytest.raises(DiscordRateLimited):
        discord.client().current_user()

    assert discord.client().guild(discord.guild_id).id == discord.guild_id


def test_a_global_429_holds_every_route_back(discord: ServedDiscord) -> None:
    discord.fail(match="GET /users/@me", retry_after=40, scope="global")
    with pytest.raises(DiscordRateLimited):
        discord.client().current_user()
    discord.forget_requests()

    with pytest.raises(DiscordRateLimited):
        discord.client().guild(discord.guild_id)

    assert discord.requests() == []


def test_a_429_from_the_edge_in_front_of_discord_holds_every_route_back(discord: ServedDiscord) -> None:
    discord.fail(match="GET /users/@me", status=429)
    with pytest.raises(DiscordRateLimited):
        discord.client(patience=1).current_user()
    discord.forget_requests()

    with pytest.raises(DiscordRateLimited):
        discord.client(patience=1).guild(discord.guild_id)

    assert discord.requests() == []


def test_where_nobody_listens_nothing_was_done(discord: ServedDiscord) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and never listening, so that the port is nobody else's either
        client = DiscordClient(discord.token, base_url=f"http://127.0.0.1:{unused.getsockname()[1]}/api/v10")
        with pytest.raises(DiscordUnavailable) as unavailable:
            client.kick(discord.guild_id, discord.member_id, reason="x")

    assert not unavailable.value.outcome_unknown
    assert "Nothing was done" in unavailable.value.message


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ({"status": 200, "body": "x" * (MAX_BODY_BYTES + 1)}, "none of its own"),
        ({"status": 200, "body": {"id": "not a number"}}, "could not be read"),
        ({"status": 200, "body": ["not", "an", "object"]}, "could not be read"),
    ],
    ids=["too large", "wrong field", "wrong shape"],
)
def test_an_answer_that_is_not_discords_is_not_believed(
    discord: ServedDiscord, fault: dict[str, Any], complaint: str
) -> None:
    discord.fail(match="GET /users/@me", times=MAX_ATTEMPTS, **fault)

    with pytest.raises(DiscordUnavailable, match=complaint):
        discord.client().current_user()


def test_a_redirect_is_neither_followed_nor_taken_for_success(discord: ServedDiscord) -> None:
    discord.fail(match="DELETE *", status=302)

    with pytest.raises(DiscordError):
        discord.client().kick(discord.guild_id, discord.member_id, reason="x")


def test_discord_is_not_asked_inside_a_transaction(discord: ServedDiscord) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        discord.client().current_user()

    assert discord.requests() == []


@pytest.mark.parametrize(
    "url", ["http://discord.com/api/v10", "http://10.0.0.1/api/v10", "ftp://127.0.0.1", "", "https://"]
)
def test_a_token_is_not_sent_in_clear_to_another_machine(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="https://"):
        DiscordClient("token", base_url=url or "nothing")


def test_production_has_no_sandbox(settings: Any) -> None:
    settings.PRODUCTION = True

    with pytest.raises(ImproperlyConfigured):
        DiscordClient("token", base_url="http://127.0.0.1:8001/api/v10")


@pytest.mark.parametrize("token", ["", "two words", "token\n", "tökén"])
def test_what_cannot_be_a_token_is_refused_before_anything_is_sent(token: str) -> None:
    with pytest.raises(Invalid, match="developer portal"):
        DiscordClient(token)
