"""A bot's gift codes: the list by first characters, who redeemed one, making new ones (shown once), revoking one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import DomainError
from accounts.page_caller import caller
from bots.models import GiftCode, Guild, RewardGrant, RewardKind
from bots.pages.fields import SnowflakeField
from bots.pages.frame import BY_TIME, bot_page, chosen, guilds_of
from bots.services import gift_codes as service
from bots.services.bots import find_bot
from dashboard import once
from dashboard.sorting import sorting

STATUSES = dict(GiftCode.Status.choices)
MEANINGS = {GiftCode.Status.ACTIVE: "ok", GiftCode.Status.REVOKED: "error"}
GRANT_MEANINGS = {
    RewardGrant.Status.PENDING: "warn",
    RewardGrant.Status.GIVEN: "ok",
    RewardGrant.Status.FAILED: "error",
}
REWARDS_OFFERED = 3
HOUR = 3_600
LARGEST_AMOUNT = 1_000_000_000


class RewardForm(forms.Form):
    kind = forms.ChoiceField(label="Kind", choices=[("", "None"), *RewardKind.choices], required=False)
    amount = forms.IntegerField(label="Amount of XP or currency", min_value=1, max_value=LARGEST_AMOUNT, required=False)
    role_id = SnowflakeField(label="Role's Discord id", required=False)
    hours = forms.IntegerField(label="Hours the role lasts", min_value=1, max_value=24 * 366, required=False)

    def clean(self) -> dict[str, Any]:
        """Ask for what the chosen kind needs."""
        cleaned = super().clean() or {}
        needs = {
            RewardKind.ROLE: ("role_id",),
            RewardKind.TEMP_ROLE: ("role_id", "hours"),
            RewardKind.XP: ("amount",),
            RewardKind.CURRENCY: ("amount",),
        }.get(cleaned.get("kind", ""), ())
        for name in needs:
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, "This kind of reward needs it.")
        return cleaned

    def reward(self) -> service.Reward:
        cleaned = self.cleaned_data
        kind = RewardKind(cleaned["kind"])
        has_role, lasts = kind in {RewardKind.ROLE, RewardKind.TEMP_ROLE}, kind == RewardKind.TEMP_ROLE
        return service.Reward(
            kind=kind,
            role_id=cleaned["role_id"] if has_role else None,
            duration_seconds=cleaned["hours"] * HOUR if lasts else None,
            amount=None if has_role else cleaned["amount"],
        )


RewardForms = forms.formset_factory(RewardForm, extra=REWARDS_OFFERED, max_num=REWARDS_OFFERED, absolute_max=5)


class GenerateForm(forms.Form):
    quantity = forms.IntegerField(label="How many codes", min_value=1, max_value=50, initial=1)
    max_uses = forms.IntegerField(
        label="Uses of each", min_value=1, initial=1, help_text="How many members may redeem it, each once."
    )
    expires_at = forms.DateTimeField(
        label="Expires (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    guild = forms.TypedChoiceField(label="Server", coerce=int, required=False, empty_value=None)
    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, guilds: list[Guild], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Any of them"), *((guild.discord_id, guild.name) for guild in guilds)]
        self.fields["guild"].choices = choices  # type: ignore[attr-defined]


@require_safe
@login_required
def code_list(request: HttpRequest, bot_id: int) -> HttpResponse:
    who = caller(request)
    bot = find_bot(who, bot_id)
    status = chosen(request, "status", STATUSES)
    order = sorting(request, BY_TIME)
    page = service.list_codes(
        who,
        bot_id=bot_id,
        status=status,
        cursor=request.GET.get("cursor"),
        oldest_first=order.direction == "asc",
    )
    context = {"page": page, "sorting": order, "statuses": STATUSES, "status": status, "meanings": MEANINGS}
    return bot_page(request, "bots/gift_codes.html", bot, context, tab="bots:gift-codes")


@require_safe
@login_required
def code(request: HttpRequest, bot_id: int, code_id: int) -> HttpResponse:
    """One code, and who redeemed it."""
    who = caller(request)
    shown = service.get_code(who, bot_id=bot_id, code_id=code_id)
    page = service.list_redemptions(who, shown, cursor=request.GET.get("cursor"))
    context = {"code": shown, "page": page, "statuses": STATUSES, "meanings": MEANINGS, "grants": GRANT_MEANINGS}
    return bot_page(request, "bots/gift_code.html", shown.bot, context, tab="bots:gift-codes")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def generate(request: HttpRequest, bot_id: int) -> HttpResponse:
    """The form, and in answer to it the codes in clear, this once: sending it again makes no others."""
    who = caller(request)
    bot = find_bot(who, bot_id)
    guilds = guilds_of(bot)
    form = GenerateForm(request.POST or None, guilds=guilds, initial={"token": ""})
    rewards = RewardForms(request.POST or None, prefix="reward")
    if request.method == "POST" and form.is_valid() and rewards.is_valid():
        chosen_rewards = [one.reward() for one in rewards if one.cleaned_data.get("kind")]
        if not chosen_rewards:
            form.add_error(None, "Choose at least one reward.")
        elif not once.spend(request, form.cleaned_data["token"]):
            messages.warning(request, "This form was sent already; its codes were shown that one time.")
            return redirect("bots:gift-codes", bot_id)
        else:
            try:
                made = service.generate_codes(
                    who,
                    bot_id=bot_id,
                    guild_id=form.cleaned_data["guild"],
                    rewards=chosen_rewards,
                    max_uses=form.cleaned_data["max_uses"],
                    expires_at=form.cleaned_data["expires_at"],
                    quantity=form.cleaned_data["quantity"],
                )
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                codes = [one.code for one in made]
                return bot_page(request, "bots/gift_codes_made.html", bot, {"codes": codes}, tab="bots:gift-codes")
    context = {"form": form, "rewards": rewards, "token": once.issue(request)}
    failed = request.method == "POST"
    return bot_page(
        request, "bots/gift_codes_new.html", bot, context, tab="bots:gift-codes", status=422 if failed else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def revoke(request: HttpRequest, bot_id: int, code_id: int) -> HttpResponse:
    """Say what will stop working, then stop it."""
    who = caller(request)
    shown = service.get_code(who, bot_id=bot_id, code_id=code_id)
    if request.method == "POST":
        try:
            service.revoke_code(who, code_id=code_id)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"The code {shown.prefix}… is revoked.")
        return redirect("bots:gift-codes", bot_id)
    return bot_page(request, "bots/gift_code_revoke.html", shown.bot, {"code": shown}, tab="bots:gift-codes")
