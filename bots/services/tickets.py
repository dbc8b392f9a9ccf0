"""What can be done with tickets: find, read, open, add to, close."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.scopes import Scope
from bots.models import Guild, Ticket, TicketMessage, Transcript
from bots.services import transcripts
from bots.services.bots import find_bot, find_guild
from bots.services.cursors import Page, page_of
from security import audit

REASON_LENGTH = 500


def list_tickets(
    caller: Caller,
    *,
    bot_id: int,
    guild_id: int | None = None,
    status: str | None = None,
    limit: int = 25,
    cursor: str | None = None,
    oldest_first: bool = False,
) -> Page[Ticket]:
    """A bot's tickets, newest first unless said otherwise; `guild_id` is Discord's."""
    caller.require(Scope.READ)
    bot = find_bot(caller, bot_id)
    tickets = Ticket.objects.for_caller(caller).filter(bot=bot).select_related("guild")
    if guild_id is not None:
        tickets = tickets.filter(guild=find_guild(bot, guild_id))
    if status is not None:
        tickets = tickets.filter(status=status)
    return page_of(tickets, limit=limit, cursor=cursor, oldest_first=oldest_first)


def get_ticket(caller: Caller, *, ticket_id: int) -> Ticket:
    """The ticket with its bot, guild and, where one is stored, transcript (without the page itself)."""
    caller.require(Scope.READ)
    tickets = Ticket.objects.for_caller(caller).select_related("bot", "guild", "transcript").defer("transcript__html")
    ticket = tickets.filter(pk=ticket_id).first()
    if ticket is None:
        raise not_found(ticket_id)
    return ticket


def get_transcript(caller: Caller, *, ticket_id: int) -> Transcript:
    """The ticket as an HTML page, rendered again if messages came or changed since the last time."""
    caller.require(Scope.READ)
    ticket = Ticket.objects.for_caller(caller).select_related("guild", "transcript").filter(pk=ticket_id).first()
    if ticket is None:
        raise not_found(ticket_id)
    stored: Transcript | None = getattr(ticket, "transcript", None)
    if stored is not None and stored.revision == ticket.transcript_revision:
        return stored
    return transcripts.store(ticket)


def close_ticket(caller: Caller, *, ticket_id: int, reason: str) -> Ticket:
    """Close the ticket and keep its transcript. Closing a closed one is a `Conflict` and changes nothing."""
    caller.require(Scope.WRITE)
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_LENGTH:
        raise Invalid(f"Give a reason of 1 to {REASON_LENGTH} characters; the member may read it.")
    with transaction.atomic():
        rows = Ticket.objects.for_caller(caller).select_for_update(of=("self",)).select_related("guild")
        ticket = rows.filter(pk=ticket_id).first()
        if ticket is None:
            raise not_found(ticket_id)
        if ticket.status == Ticket.Status.CLOSED:
            raise Conflict(
                f"Ticket {ticket.number} was closed already, at {ticket.closed_at:%Y-%m-%d %H:%M} UTC with the reason "
                f"“{ticket.close_reason}”. Nothing was changed.",
                code="already_closed",
                data={"ticketId": str(ticket.pk)},
            )
        ticket.status = Ticket.LIFECYCLE.after(ticket.status, "close")
        ticket.closed_at, ticket.close_reason, ticket.closed_by_id = timezone.now(), reason, caller.user_id
        # The page names the state, so the one stored while it was open is stale.
        ticket.transcript_revision += 1
        ticket.save(update_fields=["status", "closed_at", "close_reason", "closed_by", "transcript_revision"])
        transcripts.store(ticket)
        audit.record("ticket.close", caller=caller, target=f"ticket:{ticket.pk}", detail={"reason": reason})
    return ticket


def open_ticket(
    guild: Guild, *, channel_id: int, opener_id: int, opener_name: str, subject: str, category: str = ""
) -> Ticket:
    """A new ticket of a member, with the guild's next number."""
    with transaction.atomic():
        Guild.objects.filter(pk=guild.pk).update(last_ticket_number=F("last_ticket_number") + 1)
        guild.refresh_from_db(fields=["last_ticket_number"])
        return Ticket.objects.create(
            bot_id=guild.bot_id,
            guild=guild,
            number=guild.last_ticket_number,
            channel_id=channel_id,
            opener_id=opener_id,
            opener_name=opener_name,
            subject=subject,
            category=category,
            created_at=timezone.now(),
        )


def record_message(
    ticket: Ticket, *, message_id: int, author_id: int, author_name: str, content: str, sent_at: datetime, **fields: Any
) -> TicketMessage:
    """Keep a message of the ticket's channel, or what it was changed to. Recording the same one twice keeps one."""
    with transaction.atomic():
        message, is_new = TicketMessage.objects.update_or_create(
            ticket=ticket,
            message_id=message_id,
            defaults={
                "author_id": author_id,
                "author_name": author_name,
                "content": content,
                "sent_at": sent_at,
                **fields,
            },
        )
        changes: dict[str, Any] = {"transcript_revision": F("transcript_revision") + 1}
        if is_new:
            ticket = Ticket.objects.select_for_update().get(pk=ticket.pk)
            changes |= {
                "message_count": ticket.message_count + 1,
                "first_message_at": min(ticket.first_message_at or sent_at, sent_at),
                "last_message_at": max(ticket.last_message_at or sent_at, sent_at),
            }
        Ticket.objects.filter(pk=ticket.pk).update(**changes)
    return message


def not_found(ticket_id: int) -> NotFound:
    return NotFound(f"You have no ticket with the id {ticket_id}. ticket.list shows them.", code="ticket_not_found")
