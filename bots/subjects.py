"""The bots' tools act on bots: which are somebody's, and which one a ticket or a gift code belongs to."""

from collections.abc import Collection, Sequence
from typing import Any

from accounts.caller import Caller
from bots.mcp_tools.shapes import SERVER
from bots.models import Bot, GiftCode, Ticket
from mcp_gateway.subjects import Kind, Owned, subjects

MOST_LISTED = 300


def owned(caller: Caller, ids: Collection[str] | None = None) -> Sequence[Owned]:
    """The caller's bots by name; with `ids` those of them that are named. What is no id of a bot names none."""
    bots = Bot.objects.for_caller(caller).defer("token")
    if ids is not None:
        bots = bots.filter(pk__in=[int(one) for one in ids if one.isascii() and one.isdigit() and len(one) < 19])
    return [Owned(str(bot.pk), bot.name, _about(bot)) for bot in bots.order_by("name", "pk")[:MOST_LISTED]]


def add() -> None:
    behind = {"ticketId": _bot_of_ticket, "codeId": _bot_of_code}
    subjects.add(SERVER, Kind(one="bot", argument="botId", owned=owned, behind=behind))


def _about(bot: Bot) -> str:
    return "Acts in the sandbox Discord." if bot.sandbox else f"Discord application {bot.application_id}."


def _bot_of_ticket(caller: Caller, ticket_id: Any) -> str | None:
    return _named(Ticket.objects.for_caller(caller).filter(pk=ticket_id).values_list("bot_id", flat=True).first())


def _bot_of_code(caller: Caller, code_id: Any) -> str | None:
    return _named(GiftCode.objects.for_caller(caller).filter(pk=code_id).values_list("bot_id", flat=True).first())


def _named(bot_id: int | None) -> str | None:
    return None if bot_id is None else str(bot_id)
