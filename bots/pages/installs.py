"""A guild's remote MCP servers: what its bot may call, installing one, switching it off and on, removing it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.caller import Caller
from accounts.errors import DomainError
from accounts.page_caller import caller
from bots.models import Guild
from bots.services import installs as service
from mcp_gateway.remote import badges
from mcp_gateway.remote.badges import Badge

MEANINGS = {Badge.CONNECTED: "ok", Badge.CONNECTION_ERROR: "error", Badge.NOT_CONNECTED: "info", Badge.DISABLED: ""}
SWITCHED_OFF = "Switched off"
BEYOND_PLAN = "Beyond the plan"


class InstallForm(forms.Form):
    bot = forms.TypedChoiceField(label="Bot", coerce=int)
    server = forms.TypedChoiceField(label="Server", coerce=int, help_text="Of your organizations, from Integrations.")

    def __init__(self, *args: Any, who: Caller, guilds: list[Guild], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["bot"].choices = [(guild.bot_id, guild.bot.name) for guild in guilds]  # type: ignore[attr-defined]
        if len(guilds) == 1:
            self.fields["bot"].initial = guilds[0].bot_id
            self.fields["bot"].widget = forms.HiddenInput()
        servers = {server.pk: server.name for guild in guilds for server in service.installable(who, guild)}
        self.fields["server"].choices = sorted(servers.items(), key=lambda one: one[1])  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def guild_servers(request: HttpRequest, guild_id: int) -> HttpResponse:
    who = caller(request)
    guilds = service.guilds_with_id(who, guild_id)
    form = InstallForm(request.POST or None, who=who, guilds=guilds)
    if request.method == "POST" and form.is_valid():
        try:
            made = service.install(
                who, guild_id=guild_id, bot_id=form.cleaned_data["bot"], server_id=form.cleaned_data["server"]
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"{made.server.name} is installed.")
            return redirect("bots:guild-servers", guild_id)
    context = {
        "guild": guilds[0],
        "rows": [_row(guild, installed) for guild in guilds for installed in service.list_installs(who, guild)],
        "several_bots": len(guilds) > 1,
        "allowance": service.allowance(who),
        "form": form,
        "can_install": bool(form.fields["server"].choices),  # type: ignore[attr-defined]
    }
    return render(request, "bots/guild_servers.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def switch(request: HttpRequest, guild_id: int, install_id: int) -> HttpResponse:
    enabled = request.POST.get("enabled") == "on"
    try:
        service.set_enabled(caller(request), guild_id=guild_id, install_id=install_id, enabled=enabled)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("bots:guild-servers", guild_id)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def remove(request: HttpRequest, guild_id: int, install_id: int) -> HttpResponse:
    who = caller(request)
    found = service.find_install(who, guild_id=guild_id, install_id=install_id)
    if request.method == "POST":
        service.remove(who, guild_id=guild_id, install_id=install_id)
        messages.success(request, f"{found.server.name} is removed from {found.guild.name}.")
        return redirect("bots:guild-servers", guild_id)
    return render(request, "bots/guild_server_remove.html", {"install": found, "guild": found.guild})


def _row(guild: Guild, installed: service.Installed) -> dict[str, Any]:
    connection = badges.own_connection(installed.server)
    badge = badges.badge(installed.server, connection)
    words, meaning = str(badge), MEANINGS[badge]
    if not installed.install.enabled:
        words, meaning = SWITCHED_OFF, ""
    elif installed.beyond_plan:
        words, meaning = BEYOND_PLAN, "warn"
    return {
        "bot": guild.bot,
        "install": installed.install,
        "server": installed.server,
        "badge": words,
        "meaning": meaning,
        "trouble": badges.trouble(installed.server, connection),
    }
