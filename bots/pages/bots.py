"""A person's bots: the list with quick numbers, one bot's overview, adding one and storing a new token."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import DomainError
from accounts.page_caller import caller
from bots.pages.activity import Period, charts
from bots.pages.frame import BOT_MEANINGS, CASE_MEANINGS, TICKET_MEANINGS, bot_page, guilds_of
from bots.pages.numbers import bot_lines
from bots.services import bots as service
from bots.services.moderation import list_cases
from bots.services.stats import get_bot_summary
from bots.services.tickets import list_tickets

DAYS_CHARTED = 30
RECENT = 5


class TokenForm(forms.Form):
    token = forms.CharField(
        label="Bot token",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="From Discord's developer portal, under Bot. It is kept encrypted and not shown again.",
    )


@require_safe
@login_required
def bot_list(request: HttpRequest) -> HttpResponse:
    lines = bot_lines(caller(request))
    context = {"lines": lines, "meanings": BOT_MEANINGS, "has_sandbox": any(line.bot.sandbox for line in lines)}
    return render(request, "bots/list.html", context)


@require_safe
@login_required
def overview(request: HttpRequest, bot_id: int) -> HttpResponse:
    who = caller(request)
    bot = service.find_bot(who, bot_id)
    context = {
        "summary": get_bot_summary(who, bot_id=bot_id),
        "guilds": guilds_of(bot),
        "tickets": list_tickets(who, bot_id=bot_id, limit=RECENT).rows,
        "cases": list_cases(who, bot_id=bot_id, limit=RECENT).rows,
        "ticket_meanings": TICKET_MEANINGS,
        "case_meanings": CASE_MEANINGS,
        "chart": charts(who, bot, Period.of(DAYS_CHARTED), guild=None)[0],
    }
    return bot_page(request, "bots/overview.html", bot, context, tab="bots:bot")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: HttpRequest) -> HttpResponse:
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            bot = service.add_bot(caller(request), token=form.cleaned_data["token"])
        except DomainError as error:
            form.add_error("token", error.message)
        else:
            messages.success(request, f"{bot.name} is added.")
            return redirect("bots:bot", bot.pk)
    return render(request, "bots/add.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def check(request: HttpRequest, bot_id: int) -> HttpResponse:
    """Store a token that Discord accepts in place of the one it refuses."""
    who = caller(request)
    bot = service.find_bot(who, bot_id)
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            service.check_bot(who, bot_id=bot_id, token=form.cleaned_data["token"])
        except DomainError as error:
            form.add_error("token", error.message)
        else:
            messages.success(request, "Discord accepts the new token; the old one is forgotten.")
            return redirect("bots:bot", bot_id)
    return bot_page(request, "bots/check.html", bot, {"form": form}, tab="bots:bot", status=422 if form.errors else 200)
