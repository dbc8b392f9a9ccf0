"""The fifteen tools, called as a client calls them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.scopes import Scope
from bots.models import (
    CurrencyLedger,
    GiftCode,
    Guild,
    Ticket,
    Transcript,
)
from bots.services.redemption import Redeemer, redeem
from mcp_gateway.registry import registry
from tests.bots.conftest import Harbour
from tests.bots.factories import (
    ActivityBucketFactory,
    BotFactory,
    GuildFactory,
    TicketFactory,
    TicketMessageFactory,
    caller_for,
)
from tests.bots.tools import SCOPES, call, client_of, failure, range_of
from tests.factories import UserFactory


@pytest.fixture(autouse=True)
def in_this_thread(settings: Settings) -> None:
    settings.QUICK_THREADS = 0
    settings.MCP_SERVER_RATE_PER_MINUTE = 0


def test_exactly_the_fifteen_tools_are_there_with_their_scopes() -> None:
    assert {tool.name: tool.scope.value for tool in registry.tools("bots")} == SCOPES


def test_ids_are_strings_in_every_schema() -> None:
    """A snowflake as a JSON number loses its last digits in JavaScript."""

    def ids(schema: Any, name: str = "") -> list[tuple[str, Any]]:
        if isinstance(schema, list):
            return [found for each in schema for found in ids(each, name)]
        if not isinstance(schema, dict):
            return []
        own = [(name, schema["type"])] if name.lower().endswith("id") and "type" in schema else []
        inner = [found for key, each in schema.get("properties", {}).items() for found in ids(each, key)]
        beside = [found for key in ("anyOf", "items", "$defs") for found in ids(_values(schema.get(key)), name)]
        return own + inner + beside

    for tool in registry.tools("bots"):
        for name, kind in ids(tool.input_schema) + ids(tool.output_schema):
            assert kind in {"string", "null"}, f"{tool.name}: {name} is a {kind}"


def _values(schema: Any) -> Any:
    return list(schema.values()) if isinstance(schema, dict) and "type" not in schema else schema


@pytest.mark.django_db
def test_a_ticket_is_listed_read_and_closed() -> None:
    ticket = TicketFactory(message_count=1, opener_id=1_234_567_890_123_456_789)
    TicketMessageFactory(ticket=ticket, content="It *still* rains in.")
    client = client_of(ticket.bot.owner)
    listed = call(client, "ticket.list", botId=str(ticket.bot_id), status="open")
    assert listed["nextCursor"] is None
    (card,) = listed["tickets"]
    assert (card["id"], card["openerId"], card["guildId"]) == (
        str(ticket.pk),
        "1234567890123456789",
        str(ticket.guild.discord_id),
    )
    got = call(client, "ticket.get", ticketId=card["id"])
    assert got["ticket"] == card
    assert (got["transcript"]["messages"], got["transcript"]["sha256"]) == (1, None)
    page = call(client, "ticket.getTranscript", ticketId=card["id"])
    assert "It <em>still</em> rains in." in page["html"]
    closed = call(client, "ticket.close", ticketId=card["id"], reason="Roof mended")
    assert (closed["ticket"]["status"], closed["ticket"]["closeReason"]) == ("closed", "Roof mended")
    assert failure(client, "ticket.close", ticketId=card["id"], reason="Again")[0] == "already_closed"
    stored = Transcript.objects.get(ticket=ticket)
    facts = call(client, "ticket.get", ticketId=card["id"])["transcript"]
    assert (facts["sha256"], facts["bytes"]) == (stored.sha256, stored.bytes)


@pytest.mark.django_db
def test_a_transcript_is_read_as_html_not_as_json() -> None:
    ticket = TicketFactory()
    result = client_of(ticket.bot.owner).call("ticket.getTranscript", ticketId=str(ticket.pk)).result
    assert result["content"][0]["text"].startswith("<!doctype html>")


@pytest.mark.django_db
def test_a_ticket_is_read_in_one_query() -> None:
    ticket = TicketFactory()
    client = client_of(ticket.bot.owner)
    call(client, "ticket.get", ticketId=str(ticket.pk))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        call(client, "ticket.get", ticketId=str(ticket.pk))
    assert len([query for query in queries if "bots_" in query["sql"]]) == 1


@pytest.mark.django_db
def test_pages_are_walked_by_cursor() -> None:
    guild = GuildFactory()
    TicketFactory.create_batch(5, guild=guild)
    client = client_of(guild.bot.owner)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = call(client, "ticket.list", botId=str(guild.bot_id), limit=2, **cursor)
        seen += [card["id"] for card in page["tickets"]]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert len(seen) == len(set(seen)) == 5
    assert failure(client, "ticket.list", botId=str(guild.bot_id), cursor="nonsense")[0] == "invalid_cursor"


def test_members_are_warned_kicked_and_banned_in_a_sandbox_that_says_so(harbour: Harbour) -> None:
    client = client_of(harbour.bot.owner)
    target = {
        "botId": str(harbour.bot.pk),
        "guildId": str(harbour.guild.discord_id),
        "userId": str(harbour.member_id),
        "reason": "Spam",
    }
    warned = call(client, "mod.warnUser", **target)
    assert warned["case"]["directMessage"] == "sent"
    assert warned["sandbox"] is True
    assert "sandbox" in warned["notice"]
    kicked = call(client, "mod.kickUser", **target, idempotencyKey="k1")
    assert call(client, "mod.kickUser", **target, idempotencyKey="k1")["case"] == kicked["case"]
    banned = call(client, "mod.banUser", **target, durationSeconds=3600, deleteMessageSeconds=60)
    assert banned["case"]["action"] == "tempban"
    assert banned["case"]["expiresAt"] is not None
    cases = call(client, "mod.listCases", botId=target["botId"], userId=target["userId"])["cases"]
    assert [case["action"] for case in cases] == ["tempban", "kick", "warn"]


def test_discords_refusal_comes_back_with_its_code_and_what_to_do(harbour: Harbour) -> None:
    harbour.fails("PUT */bans/*", status=403, body={"code": 50013, "message": "Missing Permissions"})
    code, text = failure(
        client_of(harbour.bot.owner),
        "mod.banUser",
        botId=str(harbour.bot.pk),
        guildId=str(harbour.guild.discord_id),
        userId=str(harbour.member_id),
        reason="Spam",
    )
    assert code == "discord_refused"
    assert "50013" in text
    assert "drag it above" in text


@pytest.mark.django_db
def test_codes_are_generated_listed_and_revoked() -> None:
    guild = GuildFactory()
    client = client_of(guild.bot.owner)
    bot_id, guild_id = str(guild.bot_id), str(guild.discord_id)
    made = call(
        client,
        "giftCode.generate",
        botId=bot_id,
        guildId=guild_id,
        rewards=[
            {"kind": "TEMP_ROLE", "roleId": "123456789012345678", "durationSeconds": 3600},
            {"kind": "CURRENCY", "amount": 5},
        ],
        maxUses=2,
        quantity=2,
        expiresAt="2099-01-01",
    )["codes"]
    assert made[0]["expiresAt"] == "2099-01-01T00:00:00Z"
    redeem(Guild.objects.get(pk=guild.pk), Redeemer(7, "mira"), made[0]["code"])
    answer = client.call("giftCode.list", botId=bot_id, status="active")
    assert made[0]["code"] not in answer.body.decode()
    listed = {code["id"]: code for code in call(client, "giftCode.list", botId=bot_id)["codes"]}
    first = listed[made[0]["id"]]
    assert first["uses"] == 1
    assert first["redemptions"][0]["userName"] == "mira"
    assert [reward["kind"] for reward in first["rewards"]] == ["TEMP_ROLE", "CURRENCY"]
    revoked = call(client, "giftCode.revoke", codeId=made[1]["id"])["code"]
    assert revoked["status"] == "revoked"
    assert CurrencyLedger.objects.get().amount == 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    "reward",
    [
        {"kind": "ROLE"},
        {"kind": "ROLE", "roleId": "1", "amount": 5},
        {"kind": "XP", "amount": 0},
        {"kind": "GOLD", "amount": 5},
        {"kind": "TEMP_ROLE", "roleId": "1"},
        {"amount": 5},
    ],
    ids=json.dumps,
)
def test_a_reward_that_does_not_fit_is_refused_by_its_schema(reward: dict[str, Any]) -> None:
    guild = GuildFactory()
    code, _ = failure(
        client_of(guild.bot.owner), "giftCode.generate", botId=str(guild.bot_id), rewards=[reward], maxUses=1
    )
    assert code == "invalid_arguments"
    assert not GiftCode.objects.exists()


@pytest.mark.django_db
def test_numbers_come_with_what_they_mean() -> None:
    guild = GuildFactory()
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    ActivityBucketFactory(guild=guild, hour=hour, messages=4, voice_seconds=90, commands=2, bot_answers=30)
    client = client_of(guild.bot.owner, Scope.READ)
    bot_id = str(guild.bot_id)
    timeline = call(client, "analytics.getActivity", botId=bot_id, bucket="hour", **range_of(1))["timeline"]
    assert len(timeline) in {24, 25}
    (busy,) = [point for point in timeline if point["messages"]]
    assert (busy["messages"], busy["voiceMinutes"], busy["commands"]) == (4, 1.5, 2)
    found = call(client, "roi.getSnapshot", botId=bot_id, **range_of(30))
    assert found["hoursSavedIsEstimate"] is True
    assert found["hoursSaved"] == round(30 * found["minutes"]["perAnswer"] / 60, 2)
    summary = call(client, "stats.getBotSummary", botId=bot_id)
    assert (summary["guildCount"], summary["status"], summary["sandbox"]) == (1, "active", False)
    own = call(client, "stats.getOwnSubscription")
    assert [bot["botId"] for bot in own["bots"]] == [bot_id]


@pytest.mark.django_db
@pytest.mark.parametrize("bot_id", ["", "-1", "0", "abc", "٣", "9" * 19, "9" * 40, 1.5, True, None, [], {}], ids=str)
def test_an_id_is_digits_and_nothing_else(bot_id: Any) -> None:
    code, _ = failure(client_of(UserFactory()), "ticket.list", botId=bot_id)
    assert code == "invalid_arguments"


@pytest.mark.django_db
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "yesterday", "", 1e300])
def test_a_time_out_of_range_is_refused(moment: Any) -> None:
    bot = BotFactory()
    code, _ = failure(
        client_of(bot.owner), "analytics.getActivity", botId=str(bot.pk), **{"from": moment, "to": "2026-01-02"}
    )
    assert code in {"invalid_arguments", "long_range"}


@pytest.mark.django_db
def test_a_switched_off_person_reaches_nothing() -> None:
    ticket = TicketFactory()
    client = client_of(ticket.bot.owner)
    User.objects.filter(pk=ticket.bot.owner_id).update(is_active=False)
    assert client.call("ticket.get", ticketId=str(ticket.pk)).status == 401


@pytest.mark.django_db
def test_the_caller_of_a_service_is_the_keys_owner() -> None:
    ticket = TicketFactory()
    call(client_of(ticket.bot.owner), "ticket.close", ticketId=str(ticket.pk), reason="Solved")
    assert Ticket.objects.get(pk=ticket.pk).closed_by_id == caller_for(ticket.bot.owner).user_id
