"""Remote servers in a guild: install, switch off and on, remove, and which of them the plan lets be used."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts.caller import Caller
from accounts.errors import Conflict, NotFound
from accounts.models import Plan
from accounts.scopes import Scope
from accounts.services import plans
from bots.models import Guild, McpInstall
from mcp_gateway.models import RemoteServer
from mcp_gateway.remote.services import servers
from security import audit

LIMIT = "max_mcp_installs"
# As many as a form lists.
MOST_OFFERED = 500


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the owner's plan says of installs. Where it includes none, `larger` is the lowest plan that does."""

    plan: Plan
    allowed: int | None
    used: int
    larger: Plan | None

    @property
    def has_none(self) -> bool:
        return self.allowed == 0


@dataclass(frozen=True, slots=True)
class Installed:
    """An install with its server as the owner sees it. `beyond_plan`: switched on, and more than the plan includes."""

    install: McpInstall
    server: RemoteServer
    beyond_plan: bool


def guilds_with_id(caller: Caller, guild_id: int) -> list[Guild]:
    """The guild as each of the caller's bots in it sees it; `NotFound` where none is."""
    caller.require(Scope.READ)
    guilds = Guild.objects.for_caller(caller).filter(discord_id=guild_id).joined().select_related("bot")
    found = list(guilds.order_by("bot_id"))
    if not found:
        raise NotFound(f"None of your bots is in a guild with the Discord id {guild_id}.", code="guild_not_found")
    return found


def list_installs(caller: Caller, guild: Guild) -> list[Installed]:
    """The guild's installs by the names of their servers."""
    caller.require(Scope.READ)
    installs = {install.server_id: install for install in McpInstall.objects.for_caller(caller).filter(guild=guild)}
    own = RemoteServer.objects.for_caller(caller).filter(pk__in=installs)
    in_use = set(_in_use(caller.user_id))
    return [
        Installed(install, server, install.enabled and install.pk not in in_use)
        for server in servers.shown(caller, own).order_by("name", "pk")
        for install in [installs[server.pk]]
    ]


def installable(caller: Caller, guild: Guild) -> list[RemoteServer]:
    """The servers of the caller's organizations that the guild does not have yet."""
    has = McpInstall.objects.filter(guild=guild).values("server")
    return list(RemoteServer.objects.for_caller(caller).exclude(pk__in=has).order_by("name", "pk")[:MOST_OFFERED])


def install(caller: Caller, *, guild_id: int, bot_id: int, server_id: int) -> McpInstall:
    """Let the guild's bot use the server. `PlanLimit` names a plan that includes it."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        guild = _guild(caller, guild_id, bot_id)
        server = RemoteServer.objects.for_caller(caller).filter(pk=server_id).first()
        if server is None:
            raise NotFound("There is no such server in your organizations. Integrations lists them.")
        _require_room(caller.user_id)
        try:
            with transaction.atomic():
                made = McpInstall.objects.create(guild=guild, server=server)
        except IntegrityError:
            raise Conflict(f"“{server.name}” is installed in {guild.name} already.", code="installed") from None
        audit.record("mcp_install.create", caller=caller, target=_target(made), detail=_detail(made))
    return made


def set_enabled(caller: Caller, *, guild_id: int, install_id: int, enabled: bool) -> McpInstall:
    """Switch an install off, or on again where the plan has room for it."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        found = _find(caller, guild_id, install_id)
        if found.enabled != enabled:
            if enabled:
                _require_room(caller.user_id)
            found.enabled = enabled
            found.save(update_fields=["enabled"])
            action = "mcp_install.enable" if enabled else "mcp_install.disable"
            audit.record(action, caller=caller, target=_target(found), detail=_detail(found))
    return found


def remove(caller: Caller, *, guild_id: int, install_id: int) -> McpInstall:
    """Take the server out of the guild. The server itself and its connections stay."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        found = _find(caller, guild_id, install_id)
        audit.record("mcp_install.delete", caller=caller, target=_target(found), detail=_detail(found))
        McpInstall.objects.filter(pk=found.pk).delete()
    return found


def find_install(caller: Caller, *, guild_id: int, install_id: int) -> McpInstall:
    caller.require(Scope.READ)
    return _find(caller, guild_id, install_id)


def server_ids_in_use(guild: Guild) -> list[int]:
    """The servers whose tools the guild's bot may call now, for `mcp_gateway.remote.toolbox` in its owner's name."""
    installs = McpInstall.objects.filter(pk__in=_in_use(guild.bot.owner_id), guild=guild)
    return list(installs.order_by("pk").values_list("server_id", flat=True))


def allowance(caller: Caller) -> Allowance:
    plan = plans.plan_of(caller.user_id)
    allowed = plan.limit(LIMIT)
    larger = Plan.objects.exclude(max_mcp_installs=0).order_by("rank").first() if allowed == 0 else None
    return Allowance(plan, allowed, len(_switched_on(caller.user_id)), larger)


def _require_room(owner_id: int) -> None:
    plans.plan_of(owner_id, lock=True)
    plans.require_room(owner_id, LIMIT, used=len(_switched_on(owner_id)))


def _switched_on(owner_id: int) -> list[int]:
    """All that the owner has switched on, in all guilds, the oldest first."""
    on = McpInstall.objects.filter(guild__bot__owner_id=owner_id, enabled=True)
    return list(on.order_by("pk").values_list("pk", flat=True))


def _in_use(owner_id: int) -> list[int]:
    """Those of them that the plan includes: the oldest, up to its limit."""
    return _switched_on(owner_id)[: plans.plan_of(owner_id).limit(LIMIT)]


def _guild(caller: Caller, guild_id: int, bot_id: int) -> Guild:
    guild = next((one for one in guilds_with_id(caller, guild_id) if one.bot_id == bot_id), None)
    if guild is None:
        raise NotFound("That bot of yours is not in this guild.", code="bot_not_found")
    return guild


def _find(caller: Caller, guild_id: int, install_id: int) -> McpInstall:
    installs = McpInstall.objects.for_caller(caller).select_related("guild__bot", "server")
    found = installs.filter(pk=install_id, guild__discord_id=guild_id).first()
    if found is None:
        raise NotFound("None of your bots has this server installed in this guild.")
    return found


def _target(install: McpInstall) -> str:
    return f"mcp_install:{install.pk}"


def _detail(install: McpInstall) -> dict[str, object]:
    return {"guild": str(install.guild.discord_id), "server": install.server_id, "name": install.server.name}
