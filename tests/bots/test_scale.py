"""What the lists of bots cost among 100,000 rows: each page comes from an index in its order, however far down."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model, QuerySet
from django.utils import timezone

from accounts.caller import Caller
from bots.models import Bot, ModerationCase, Ticket
from bots.services.cursors import Page, page_of
from bots.services.moderation import list_cases
from bots.services.tickets import list_tickets
from tests.bots.factories import BotFactory, GuildFactory, ModerationCaseFactory, TicketFactory, caller_for
from tests.query_plans import plans

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 100_000

Lister = Callable[..., Page[Any]]


def copies(row: Model, *, different: str) -> None:
    """The row again and again, back through the minutes; in 99 of 100 `different` reads otherwise, as SQL says it."""
    table = row._meta.db_table
    own = {"id", "number", "created_at", different.split()[0]}
    kept = ", ".join(
        connection.ops.quote_name(name) for field in row._meta.concrete_fields if (name := str(field.column)) not in own
    )
    name, _, value = different.partition(" = ")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (number, created_at, {name}, {kept}) "
            f"SELECT number + n, created_at - n * interval '1 minute', "
            f"CASE WHEN n % 100 = 0 THEN {name} ELSE {value} END, {kept} "
            f"FROM {table}, generate_series(1, {MANY}) AS n WHERE id = {row.pk}"
        )
        cursor.execute(f"VACUUM ANALYZE {table}")


def wrong_plans(rows: type[Model], lister: Lister, questions: list[tuple[dict[str, Any], str]], deep: str) -> list[str]:
    """The plans that read or sort more than the page they give, at its top and from far down."""
    wrong = []
    for asked, index in questions:
        for cursor in (None, deep):
            with plans(rows._meta.db_table) as found:
                page = lister(limit=25, cursor=cursor, **asked)
            (plan,) = found
            assert len(page.rows) == 25
            if index not in plan or f"Seq Scan on {rows._meta.db_table}" in plan or "Sort" in plan:
                wrong.append(f"{asked} from {cursor}\n{plan}")
    return wrong


@pytest.fixture
def bot(transactional_db: None) -> Bot:
    return BotFactory()


@pytest.fixture
def caller(bot: Bot) -> Caller:
    return caller_for(bot.owner)


def far_down(rows: QuerySet[Any], *, oldest_first: bool = False) -> str:
    """The cursor from the middle of the rows on."""
    half = timezone.now() - timedelta(minutes=MANY // 2)
    beyond = rows.filter(created_at__gte=half) if oldest_first else rows.filter(created_at__lte=half)
    cursor = page_of(beyond, limit=1, cursor=None, oldest_first=oldest_first).next_cursor
    assert cursor
    return cursor


def test_every_page_of_100_000_tickets_comes_from_an_index(bot: Bot, caller: Caller) -> None:
    guild = GuildFactory(bot=bot)
    ticket = TicketFactory(guild=guild, status="pending")
    copies(ticket, different="status = 'open'")
    questions: list[tuple[dict[str, Any], str]] = [
        ({}, "ticket_by_"),
        ({"status": "pending"}, "_status"),
        ({"guild_id": guild.discord_id}, "ticket_by_"),
        ({"guild_id": guild.discord_id, "status": "pending"}, "_status"),
    ]
    lister = partial(list_tickets, caller, bot_id=bot.pk)
    wrong = wrong_plans(Ticket, lister, questions, far_down(Ticket.objects.all()))
    rising = partial(lister, oldest_first=True)
    wrong += wrong_plans(Ticket, rising, questions, far_down(Ticket.objects.all(), oldest_first=True))
    assert not wrong, "\n\n".join(wrong)


def test_every_page_of_100_000_cases_comes_from_an_index(bot: Bot, caller: Caller) -> None:
    guild = GuildFactory(bot=bot)
    case = ModerationCaseFactory(guild=guild, action="kick", open_key=None, idempotency_key="")
    copies(case, different="user_id = n")
    questions: list[tuple[dict[str, Any], str]] = [
        ({}, "case_by_"),
        ({"guild_id": guild.discord_id}, "case_by_"),
        ({"user_id": case.user_id}, "_user"),
        ({"guild_id": guild.discord_id, "user_id": case.user_id}, "_user"),
        ({"action": "kick"}, "case_by_"),
    ]
    wrong = wrong_plans(
        ModerationCase, partial(list_cases, caller, bot_id=bot.pk), questions, far_down(ModerationCase.objects.all())
    )
    assert not wrong, "\n\n".join(wrong)
