"""Another tenant's ids, tried on every tool."""

from typing import Any

import pytest
from pytest_django import Settings

from bots.models import (
    ActivityBucket,
    GiftCode,
    ModerationCase,
    RewardKind,
    RoiSettings,
    Ticket,
    Transcript,
)
from bots.services import gift_codes
from bots.services.gift_codes import Reward
from tests.bots.conftest import Harbour
from tests.bots.factories import (
    ActivityBucketFactory,
    BotFactory,
    GuildFactory,
    ModerationCaseFactory,
    TicketFactory,
    TicketMessageFactory,
)
from tests.bots.tools import SCOPES, call, client_of, failure, range_of


@pytest.fixture(autouse=True)
def in_this_thread(settings: Settings) -> None:
    settings.QUICK_THREADS = 0
    settings.MCP_SERVER_RATE_PER_MINUTE = 0


def test_another_tenants_ids_reach_nothing_with_any_tool(harbour: Harbour) -> None:
    ticket = TicketFactory(guild=harbour.guild)
    TicketMessageFactory(ticket=ticket, content="A secret of Harbour")
    ModerationCaseFactory(guild=harbour.guild, reason="A secret of Harbour")
    ActivityBucketFactory(guild=harbour.guild, messages=5)
    (made,) = gift_codes.generate_codes(
        harbour.caller, bot_id=harbour.bot.pk, rewards=[Reward(RewardKind.XP, amount=1)], max_uses=1
    )
    stranger = BotFactory()
    foreign = GuildFactory(bot=stranger)
    client = client_of(stranger.owner)
    theirs, guild_id = str(harbour.bot.pk), str(harbour.guild.discord_id)
    target = {"botId": theirs, "guildId": guild_id, "userId": str(harbour.member_id), "reason": "Mine now"}
    attempts: list[tuple[str, dict[str, Any]]] = [
        ("ticket.list", {"botId": theirs}),
        ("ticket.list", {"botId": str(stranger.pk), "guildId": guild_id}),
        ("ticket.get", {"ticketId": str(ticket.pk)}),
        ("ticket.getTranscript", {"ticketId": str(ticket.pk)}),
        ("ticket.close", {"ticketId": str(ticket.pk), "reason": "Mine now"}),
        ("mod.listCases", {"botId": theirs}),
        ("mod.listCases", {"botId": str(stranger.pk), "guildId": guild_id}),
        ("mod.warnUser", target),
        ("mod.kickUser", target),
        ("mod.banUser", target),
        ("mod.banUser", {**target, "botId": str(stranger.pk)}),
        ("giftCode.list", {"botId": theirs}),
        ("giftCode.generate", {"botId": theirs, "rewards": [{"kind": "XP", "amount": 1}], "maxUses": 1}),
        (
            "giftCode.generate",
            {"botId": str(stranger.pk), "guildId": guild_id, "rewards": [{"kind": "XP", "amount": 1}], "maxUses": 1},
        ),
        ("giftCode.revoke", {"codeId": str(made.row.pk)}),
        ("stats.getBotSummary", {"botId": theirs}),
        ("analytics.getActivity", {"botId": theirs, **range_of(1)}),
        ("analytics.getActivity", {"botId": str(stranger.pk), "guildId": guild_id, **range_of(1)}),
        ("roi.getSnapshot", {"botId": theirs, **range_of(1)}),
        ("roi.getSnapshot", {"botId": str(stranger.pk), "guildId": guild_id, **range_of(1)}),
    ]
    assert {tool for tool, _ in attempts} == SCOPES.keys() - {"stats.getOwnSubscription"}
    before = _rows_of(harbour)
    for tool, arguments in attempts:
        code, text = failure(client, tool, **arguments)
        assert code in {"bot_not_found", "guild_not_found", "ticket_not_found", "code_not_found"}, (tool, code)
        assert "secret" not in text
    own = call(client, "stats.getOwnSubscription")
    assert [bot["botId"] for bot in own["bots"]] == [str(stranger.pk)]
    assert _rows_of(harbour) == before
    assert not harbour.requests("")
    assert foreign.tickets.count() == 0


def _rows_of(harbour: Harbour) -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Ticket, Transcript, ModerationCase, GiftCode, ActivityBucket, RoiSettings)
    ]


@pytest.mark.django_db
def test_the_id_of_somebody_elses_row_is_answered_as_one_that_does_not_exist() -> None:
    ticket = TicketFactory()
    client = client_of(BotFactory().owner)
    theirs = failure(client, "ticket.get", ticketId=str(ticket.pk))
    nobodys = failure(client, "ticket.get", ticketId=str(ticket.pk + 10_000))
    assert theirs[0] == nobodys[0]
    assert theirs[1].replace(str(ticket.pk), "…") == nobodys[1].replace(str(ticket.pk + 10_000), "…")
