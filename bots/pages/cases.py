"""A bot's moderation cases: the list, one case, and the acts, which Discord carries out."""

import secrets
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.caller import Caller
from accounts.errors import DomainError, NotFound
from accounts.page_caller import caller
from bots.models import Bot, Guild, ModerationCase
from bots.pages.fields import SnowflakeField
from bots.pages.frame import BY_TIME, CASE_MEANINGS, bot_page, chosen, chosen_guild, chosen_snowflake, guilds_of
from bots.services import moderation as service
from bots.services.bots import find_bot
from dashboard.sorting import sorting

ACTIONS = dict(ModerationCase.Action.choices)
DAY = 86_400
DURATIONS = (("", "For good"), (3_600, "An hour"), (DAY, "A day"), (7 * DAY, "A week"), (30 * DAY, "30 days"))
MUTES = ((600, "10 minutes"), (3_600, "An hour"), (DAY, "A day"), (7 * DAY, "A week"), (28 * DAY, "28 days"))
DELETED = ((0, "None"), (3_600, "The last hour"), (DAY, "The last day"), (7 * DAY, "The last week"))

# What each act is called on its button, and what it does, said before it is done.
WORDS = {
    "warn": ("Warn a member", "Warn member", "The member gets the reason in a direct message, if theirs are open."),
    "mute": ("Mute a member", "Mute member", "The member can read, and neither write nor speak, while it lasts."),
    "unmute": ("Unmute a member", "Unmute member", "The member can write and speak again at once."),
    "kick": ("Kick a member", "Kick member", "The member leaves the server and may come back with an invitation."),
    "ban": ("Ban a member", "Ban member", "The member leaves the server and cannot come back while the ban lasts."),
    "unban": ("Unban a member", "Unban member", "They may come back with an invitation; nobody is invited by this."),
}
# What takes somebody out of a server is asked about before it is done.
ASKED_ABOUT = {"kick", "ban"}
LIFTED_BY = {"ban": "unban", "tempban": "unban", "mute": "unmute"}


class ActForm(forms.Form):
    """What every act needs. `request_key` makes sending the form twice act once."""

    guild = forms.TypedChoiceField(label="Server", coerce=int)
    user_id = SnowflakeField(label="Member's Discord id")
    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    request_key = forms.RegexField(r"^[\w-]{16,64}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, guilds: list[Guild], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["guild"].choices = [(guild.discord_id, guild.name) for guild in guilds]  # type: ignore[attr-defined]

    def arguments(self) -> dict[str, Any]:
        """What the service takes beside the caller and the bot."""
        cleaned = self.cleaned_data
        return {
            "guild_id": cleaned["guild"],
            "user_id": cleaned["user_id"],
            "reason": cleaned["reason"],
            "idempotency_key": cleaned["request_key"],
        }


class BanForm(ActForm):
    duration = forms.TypedChoiceField(choices=DURATIONS, coerce=int, required=False, empty_value=None)
    delete_messages = forms.TypedChoiceField(label="Delete their messages of", choices=DELETED, coerce=int, initial=0)
    field_order = ("guild", "user_id", "duration", "delete_messages", "reason")

    def arguments(self) -> dict[str, Any]:
        return {
            **super().arguments(),
            "duration_seconds": self.cleaned_data["duration"],
            "delete_message_seconds": self.cleaned_data["delete_messages"],
        }


class MuteForm(ActForm):
    duration = forms.TypedChoiceField(choices=MUTES, coerce=int, initial=3_600)
    field_order = ("guild", "user_id", "duration", "reason")

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "duration_seconds": self.cleaned_data["duration"]}


Act = Callable[..., ModerationCase]
ACTS: dict[str, tuple[type[ActForm], Act]] = {
    "warn": (ActForm, service.warn_user),
    "mute": (MuteForm, service.mute_user),
    "unmute": (ActForm, service.unmute_user),
    "kick": (ActForm, service.kick_user),
    "ban": (BanForm, service.ban_user),
    "unban": (ActForm, service.unban_user),
}


@require_safe
@login_required
def case_list(request: HttpRequest, bot_id: int) -> HttpResponse:
    who = caller(request)
    bot = find_bot(who, bot_id)
    guilds = guilds_of(bot)
    guild = chosen_guild(request, guilds)
    action = chosen(request, "action", ACTIONS)
    user = chosen_snowflake(request, "user")
    order = sorting(request, BY_TIME)
    page = service.list_cases(
        who,
        bot_id=bot_id,
        guild_id=guild.discord_id if guild else None,
        user_id=user,
        action=action,
        cursor=request.GET.get("cursor"),
        oldest_first=order.direction == "asc",
    )
    context = {
        "page": page,
        "sorting": order,
        "guilds": guilds,
        "guild": guild,
        "actions": ACTIONS,
        "action": action,
        "user_id": user,
        "is_narrowed": bool(guild or action or user),
        "meanings": CASE_MEANINGS,
    }
    return bot_page(request, "bots/cases.html", bot, context, tab="bots:cases")


@require_safe
@login_required
def case(request: HttpRequest, bot_id: int, case_id: int) -> HttpResponse:
    found = ModerationCase.objects.for_caller(caller(request)).filter(bot_id=bot_id, pk=case_id)
    shown = found.select_related("bot", "guild").first()
    if shown is None:
        raise NotFound(f"This bot has no case with the id {case_id}.")
    context = {
        "case": shown,
        "lift": _lifted_by(shown),
        "meaning": CASE_MEANINGS.get(ModerationCase.Status(shown.status), ""),
    }
    return bot_page(request, "bots/case.html", shown.bot, context, tab="bots:cases")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def act(request: HttpRequest, bot_id: int, action: str) -> HttpResponse:
    """The form; then, for what takes somebody out of a server, what is about to be done; then the act."""
    who = caller(request)
    bot = find_bot(who, bot_id)
    guilds = guilds_of(bot)
    kind, service_of = ACTS[action]
    if request.method == "POST":
        form = kind(request.POST, guilds=guilds)
        confirmed = action not in ASKED_ABOUT or "confirmed" in request.POST
        if form.is_valid() and "change" not in request.POST:
            if not confirmed:
                return _page(request, bot, action, form, template="bots/act_confirm.html")
            done = _do(who, bot, form, service_of)
            if done is not None:
                messages.success(request, _said(done))
                return redirect("bots:case", bot_id, done.pk)
    else:
        guild = chosen_guild(request, guilds)
        first = {
            "guild": guild.discord_id if guild else None,
            "user_id": request.GET.get("user", ""),
            "request_key": secrets.token_urlsafe(18),
        }
        form = kind(initial=first, guilds=guilds)
    return _page(request, bot, action, form, template="bots/act.html")


def _lifted_by(case: ModerationCase) -> str:
    """The act that ends the case's effect while it holds; nothing where there is none."""
    return LIFTED_BY.get(case.action, "") if case.status == ModerationCase.Status.APPLIED else ""


def _do(who: Caller, bot: Bot, form: ActForm, service_of: Act) -> ModerationCase | None:
    try:
        return service_of(who, bot_id=bot.pk, **form.arguments())
    except DomainError as error:
        form.add_error(None, error.message)
        return None


def _said(done: ModerationCase) -> str:
    if done.status == ModerationCase.Status.FAILED:
        return f"Case {done.number} is kept as failed: {done.failure}"
    return f"Case {done.number}: {done.get_action_display().lower()} of {done.user_name or done.user_id}."


def _page(request: HttpRequest, bot: Bot, action: str, form: ActForm, *, template: str) -> HttpResponse:
    title, button, effect = WORDS[action]
    context = {"form": form, "title": title, "button": button, "effect": effect, "action": action}
    context |= {"asks": action in ASKED_ABOUT, "lift": LIFTED_BY.get(action, "")}
    if form.is_bound and form.is_valid():
        guild = next(guild for guild in guilds_of(bot) if guild.discord_id == form.cleaned_data["guild"])
        context |= {
            "guild": guild,
            "answers": form.cleaned_data,
            "durations": dict(DURATIONS),
            "deleted": dict(DELETED),
        }
    return bot_page(request, template, bot, context, tab="bots:cases", status=422 if form.errors else 200)
