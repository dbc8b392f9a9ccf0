"""Tickets: found by their owner alone, paged without gaps, closed once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import Conflict, Invalid, NotFound, ScopeMissing
from accounts.scopes import Scope
from bots.models import Ticket, Transcript
from bots.services import tickets
from security.models import AuditEntry
from tests.bots.factories import (
    BotFactory,
    GuildFactory,
    TicketFactory,
    TicketMessageFactory,
    caller_for,
)

pytestmark = pytest.mark.django_db


def test_pages_hold_every_ticket_once_although_new_ones_arrive_between_them() -> None:
    guild = GuildFactory()
    moment = timezone.now()
    # Two of one microsecond at the edge of a page: the id tells them apart.
    made = [TicketFactory(guild=guild, created_at=moment - timedelta(minutes=minute // 2)) for minute in range(7)]
    caller = caller_for(guild.bot.owner)
    seen: list[int] = []
    cursor = None
    while True:
        page = tickets.list_tickets(caller, bot_id=guild.bot_id, limit=3, cursor=cursor)
        seen += [ticket.pk for ticket in page.rows]
        TicketFactory(guild=guild, created_at=timezone.now() + timedelta(minutes=1))
        if (cursor := page.next_cursor) is None:
            break
    assert sorted(seen) == sorted(ticket.pk for ticket in made)


def test_tickets_are_narrowed_by_guild_and_status() -> None:
    guild = GuildFactory()
    other = GuildFactory(bot=guild.bot)
    wanted = TicketFactory(guild=guild, status="pending")
    TicketFactory(guild=guild)
    TicketFactory(guild=other, status="pending")
    page = tickets.list_tickets(
        caller_for(guild.bot.owner), bot_id=guild.bot_id, guild_id=guild.discord_id, status="pending"
    )
    assert [ticket.pk for ticket in page.rows] == [wanted.pk]
    assert page.next_cursor is None


@pytest.mark.parametrize("cursor", ["x", "AAAA", "!!!", "é", "A" * 24, "____________________________", "AQ=="])
def test_a_cursor_of_foreign_make_is_refused(cursor: str) -> None:
    bot = BotFactory()
    with pytest.raises(Invalid) as refused:
        tickets.list_tickets(caller_for(bot.owner), bot_id=bot.pk, cursor=cursor)
    assert refused.value.code == "invalid_cursor"


def test_a_closed_ticket_keeps_its_reason_time_closer_and_transcript() -> None:
    ticket = TicketFactory(message_count=1)
    TicketMessageFactory(ticket=ticket, content="It works now, thank you!")
    caller = caller_for(ticket.bot.owner, Scope.WRITE)
    tickets.close_ticket(caller, ticket_id=ticket.pk, reason=" Solved ")
    ticket.refresh_from_db()
    assert (ticket.status, ticket.close_reason, ticket.closed_by_id) == ("closed", "Solved", caller.user_id)
    assert ticket.closed_at is not None
    assert "It works now, thank you!" in Transcript.objects.get(ticket=ticket).html
    assert AuditEntry.objects.get(action="ticket.close").target == f"ticket:{ticket.pk}"


def test_closing_twice_says_so_and_changes_nothing() -> None:
    ticket = TicketFactory()
    caller = caller_for(ticket.bot.owner)
    tickets.close_ticket(caller, ticket_id=ticket.pk, reason="Solved")
    before = Ticket.objects.values().get(pk=ticket.pk)
    with pytest.raises(Conflict, match=r"closed already.*Solved.*Nothing was changed") as refused:
        tickets.close_ticket(caller, ticket_id=ticket.pk, reason="Again")
    assert refused.value.code == "already_closed"
    assert Ticket.objects.values().get(pk=ticket.pk) == before
    assert AuditEntry.objects.filter(action="ticket.close").count() == 1


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_ticket_is_closed_with_a_reason_of_one_to_five_hundred_characters(reason: str) -> None:
    ticket = TicketFactory()
    with pytest.raises(Invalid):
        tickets.close_ticket(caller_for(ticket.bot.owner), ticket_id=ticket.pk, reason=reason)
    assert Ticket.objects.get(pk=ticket.pk).status == "open"


def test_reading_does_not_allow_closing() -> None:
    ticket = TicketFactory()
    with pytest.raises(ScopeMissing, match="needs the scope write"):
        tickets.close_ticket(caller_for(ticket.bot.owner, Scope.READ), ticket_id=ticket.pk, reason="Solved")


def test_somebody_elses_ticket_is_not_found() -> None:
    ticket, stranger = TicketFactory(), caller_for(BotFactory().owner)
    for act in (
        lambda: tickets.get_ticket(stranger, ticket_id=ticket.pk),
        lambda: tickets.get_transcript(stranger, ticket_id=ticket.pk),
        lambda: tickets.close_ticket(stranger, ticket_id=ticket.pk, reason="Mine"),
        lambda: tickets.list_tickets(stranger, bot_id=ticket.bot_id),
    ):
        with pytest.raises(NotFound):
            act()
    assert Ticket.objects.get(pk=ticket.pk).status == "open"


def test_a_guilds_tickets_are_numbered_without_gaps() -> None:
    guild = GuildFactory()
    opened = [
        tickets.open_ticket(guild, channel_id=number, opener_id=7, opener_name="mira", subject="Hello")
        for number in (1, 2, 3)
    ]
    assert [ticket.number for ticket in opened] == [1, 2, 3]


def test_an_edited_message_makes_the_stored_transcript_stale() -> None:
    ticket = TicketFactory()
    caller = caller_for(ticket.bot.owner)
    sent_at = timezone.now()
    said: dict[str, Any] = {"message_id": 42, "author_id": 7, "author_name": "mira", "sent_at": sent_at}
    tickets.record_message(ticket, content="I paid twise", **said)
    first = tickets.get_transcript(caller, ticket_id=ticket.pk)
    tickets.record_message(ticket, content="I paid twice", edited_at=sent_at, **said)
    second = tickets.get_transcript(caller, ticket_id=ticket.pk)
    assert "twise" in first.html
    assert "twice" in second.html
    assert "twise" not in second.html
    ticket.refresh_from_db()
    assert (ticket.message_count, ticket.first_message_at, ticket.last_message_at) == (1, sent_at, sent_at)


def test_an_unchanged_transcript_is_not_rendered_again() -> None:
    ticket = TicketFactory()
    caller = caller_for(ticket.bot.owner)
    first = tickets.get_transcript(caller, ticket_id=ticket.pk)
    assert tickets.get_transcript(caller, ticket_id=ticket.pk).generated_at == first.generated_at


def test_the_database_refuses_a_closed_ticket_without_a_time() -> None:
    ticket = TicketFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        Ticket.objects.filter(pk=ticket.pk).update(status="closed")


@pytest.mark.parametrize(("state", "event"), [("closed", "close"), ("closed", "claim"), ("open", "answer")])
def test_a_step_that_the_table_does_not_have_is_refused(state: str, event: str) -> None:
    with pytest.raises(Conflict, match=f"is {state}, so it cannot {event}"):
        Ticket.LIFECYCLE.after(state, event)
