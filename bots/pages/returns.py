"""A bot's return on investment: counts, the hours they are estimated to have saved, and the minutes assumed."""

from dataclasses import asdict

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError
from accounts.page_caller import caller
from bots.pages.activity import PERIODS, Period
from bots.pages.frame import bot_page, chosen, chosen_guild, guilds_of
from bots.services import roi as service
from bots.services.bots import find_bot
from dashboard.charts import BarChart, Point

OFFERED = {days: word for days, word in PERIODS.items() if int(days) >= 30}


class MinutesForm(forms.Form):
    per_answer = forms.FloatField(label="Answering a question", min_value=0)
    per_ticket = forms.FloatField(label="Handling a ticket", min_value=0)
    per_moderation = forms.FloatField(label="One act of moderation", min_value=0)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def returns(request: HttpRequest, bot_id: int) -> HttpResponse:
    """The return of a period; a POST changes the minutes that the estimate uses."""
    who = caller(request)
    bot = find_bot(who, bot_id)
    form = MinutesForm(request.POST or None, initial=asdict(service.get_minutes(who, bot_id=bot_id)))
    if request.method == "POST" and form.is_valid():
        try:
            service.set_minutes(who, bot_id=bot_id, minutes=service.Minutes(**form.cleaned_data))
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, "The estimate uses the new minutes.")
            return redirect(request.get_full_path())
    guilds = guilds_of(bot)
    guild = chosen_guild(request, guilds)
    days = chosen(request, "days", OFFERED) or "30"
    period = Period.of(int(days))
    found = service.get_snapshot(
        who, bot_id=bot_id, start=period.start, end=period.end, guild_id=guild.discord_id if guild else None
    )
    kept = [] if guild else service.kept_snapshots(who, bot_id=bot_id, since=period.start.date())
    context = {
        "found": found,
        "period": period,
        "periods": OFFERED,
        "days": days,
        "guilds": guilds,
        "guild": guild,
        "form": form,
        "chart": BarChart(
            "Hours saved in the 30 days before each date, estimated",
            "hours",
            [Point(f"{row.day.day} {row.day:%b}", row.hours_saved) for row in kept],
            has_total=False,
        ),
        "has_history": len(kept) > 1,
    }
    return bot_page(request, "bots/return.html", bot, context, tab="bots:return", status=422 if form.errors else 200)
