"""A bot's tickets: the list, one ticket with what was said in it, and its transcript as a page of its own."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import DomainError
from accounts.page_caller import caller
from bots.models import Ticket, TicketMessage
from bots.pages.frame import BY_TIME, TICKET_MEANINGS, bot_page, chosen, chosen_guild, guilds_of
from bots.services import tickets as service
from bots.services.bots import find_bot
from bots.services.transcript_page import POLICY
from dashboard.sorting import sorting

STATUSES = dict(Ticket.Status.choices)
# A longer conversation is read in the transcript.
MESSAGES_SHOWN = 200


class CloseForm(forms.Form):
    reason = forms.CharField(
        max_length=service.REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept with the ticket; the member may read it. The channel at Discord stays as it is.",
    )


@require_safe
@login_required
def ticket_list(request: HttpRequest, bot_id: int) -> HttpResponse:
    who = caller(request)
    bot = find_bot(who, bot_id)
    guilds = guilds_of(bot)
    guild = chosen_guild(request, guilds)
    status = chosen(request, "status", STATUSES)
    order = sorting(request, BY_TIME)
    page = service.list_tickets(
        who,
        bot_id=bot_id,
        guild_id=guild.discord_id if guild else None,
        status=status,
        cursor=request.GET.get("cursor"),
        oldest_first=order.direction == "asc",
    )
    context = {
        "page": page,
        "sorting": order,
        "guilds": guilds,
        "guild": guild,
        "statuses": STATUSES,
        "status": status,
        "is_narrowed": bool(guild or status),
        "meanings": TICKET_MEANINGS,
    }
    return bot_page(request, "bots/tickets.html", bot, context, tab="bots:tickets")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def ticket(request: HttpRequest, bot_id: int, ticket_id: int) -> HttpResponse:
    """The ticket; a POST closes it."""
    who = caller(request)
    shown = _ticket(request, bot_id, ticket_id)
    form = CloseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            service.close_ticket(who, ticket_id=ticket_id, reason=form.cleaned_data["reason"])
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"Ticket {shown.number} is closed.")
            return redirect("bots:ticket", bot_id, ticket_id)
    newest = TicketMessage.objects.for_caller(who).filter(ticket=shown).order_by("-message_id")[:MESSAGES_SHOWN]
    said = list(newest)[::-1]
    context = {
        "ticket": shown,
        "said": said,
        "omitted": max(0, shown.message_count - len(said)),
        "form": form,
        "meaning": TICKET_MEANINGS.get(Ticket.Status(shown.status), ""),
        "transcript": getattr(shown, "transcript", None),
    }
    status = 422 if form.errors else 200
    return bot_page(request, "bots/ticket.html", shown.bot, context, tab="bots:tickets", status=status)


@require_safe
@login_required
def transcript(request: HttpRequest, bot_id: int, ticket_id: int) -> HttpResponse:
    """The transcript as it is kept: a complete document under its own, stricter policy."""
    _ticket(request, bot_id, ticket_id)
    kept = service.get_transcript(caller(request), ticket_id=ticket_id)
    return HttpResponse(kept.html, headers={"Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'"})


def _ticket(request: HttpRequest, bot_id: int, ticket_id: int) -> Ticket:
    """The ticket, under the bot that the address says."""
    found = service.get_ticket(caller(request), ticket_id=ticket_id)
    if found.bot_id != bot_id:
        raise service.not_found(ticket_id)
    return found
