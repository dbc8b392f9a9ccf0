"""Rows for looking at pages: one person with a bot in every state a page can show, and one with nothing at all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.files.base import ContentFile
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.caller import Caller, Door
from accounts.models import AddressChange, ApiKey, Membership, Organization, Plan, Role, Subscription, User
from accounts.scopes import Scope
from accounts.services.addresses import link_token
from accounts.services.invitations import create_invitation
from accounts.services.keys import create_key
from agents_hub.models import Agent
from agents_hub.services.agents import create_agent
from agents_hub.services.shared_files import freeze_shared_file, upload_shared_files
from bots.models import (
    Bot,
    GiftCode,
    Guild,
    McpInstall,
    ModerationCase,
    Ticket,
)
from mcp_gateway.models import Application, Connection, RefreshToken, RemoteServer
from security import audit
from tests.browser import (
    agent_rows,
    bot_rows,
    chat_rows,
    model_rows,
    profile_rows,
    remote_rows,
    task_rows,
    webhook_rows,
    workflow_rows,
)
from tests.browser.addresses import Values
from tests.browser.bot_rows import DAY, FIRST_ID, HOUR
from tests.factories import UserFactory

# Pages that are read without signing in.
OPEN_TO_ANYONE = {
    "dashboard:docs",
    "dashboard:plans",
    "dashboard:guide",
    "dashboard:decision",
    "accounts:sign-in",
    "accounts:admin-sign-in",
    "accounts:sign-up",
    "accounts:password-reset",
    "accounts:password-reset-sent",
    "accounts:password-reset-choose",
    "accounts:invitation",
}
# Addresses that keep their secret and send on to the page without it.
SENDS_ON = {"accounts:password-reset-choose"}
# Complete documents that do not stand in the shell.
DOCUMENTS = {"bots:transcript"}
# Streams, which the tests' own server does not serve.
STREAMS = {"chat:stream", "workflows:execution-stream"}

PASSWORD = "a lantern over the harbour"


@dataclass(frozen=True, slots=True)
class World:
    person: User
    bot: Bot
    guild: Guild
    organization: Organization
    key: ApiKey


def values(owned: World | None = None) -> Values:
    """What the arguments of addresses can be: rows of `owned`, or nothing where there is none."""
    docs = settings.ROOT / "docs"
    general: dict[str, Sequence[object]] = {
        "dashboard:guide.slug": [path.stem for path in docs.glob("*.md") if path.stem != "index"],
        "dashboard:decision.slug": [path.stem for path in sorted((docs / "adr").glob("0*.md"))[:2]],
        "dashboard:picture.name": [],
        "dashboard:picture.extension": [],
        "bot_id": [],
        "ticket_id": [],
        "case_id": [],
        "code_id": [],
        "guild_id": [],
        "install_id": [],
        "server_id": [],
        "tool_id": [],
        "example": ["hugging-face"],
        "key_id": [],
        "connection_id": [],
        "slug": [],
        "oauth:resource-metadata.path": ["mcp"],
        "agents:content.token": ["not-a-link"],
        "accounts:confirm-address.token": ["not-a-link"],
        "agent_id": [],
        "file_id": [],
        "conversation_id": [],
        "turn_id": [],
        "use_id": [],
        "number": [],
        "suffix": [],
        "source": ["bots", "workflows"],
        "profile_id": [],
        "credential_id": [],
        "cookie_id": [],
        "pool_id": [],
        "execution_id": [],
        "label_id": [],
        "comment_id": [],
        "kind": ["workflow", "task"],
        "schedule_id": [],
        "workflow_id": [],
        "endpoint_id": [],
        "delivery_id": [],
        "provider_id": [],
        "user_id": [],
        "invitation_id": [],
        **_invited(),
        **_forgetful(),
    }
    if owned is None:
        return general
    tickets, cases = Ticket.objects.filter(bot=owned.bot), ModerationCase.objects.filter(bot=owned.bot)
    agent_id, file_id = _agent(owned)
    return general | {
        "agent_id": [agent_id],
        "file_id": [file_id],
        **profile_rows.fill(_caller(owned.person), owned.organization),
        "bot_id": [owned.bot.pk],
        # One in each state.
        "ticket_id": list(tickets.order_by("status", "number").distinct("status").values_list("pk", flat=True)),
        "case_id": [cases.filter(status=status).earliest("pk").pk for status in ("applied", "failed", "pending")],
        "key_id": [owned.key.pk],
        "accounts:confirm-address.token": [_new_address(owned.person)],
        "connection_id": list(Connection.objects.filter(user=owned.person).values_list("pk", flat=True)[:1]),
        "slug": [owned.organization.slug],
        "user_id": [owned.person.pk],
        **_servers(owned),
        **chat_rows.fill(Agent.objects.get(pk=str(agent_id)), owned.person),
        **_scheduled(owned, agent_id),
        **webhook_rows.fill(owned.organization, owned.person),
        **model_rows.fill(owned.organization, owned.person),
        **_installed(owned),
        "code_id": list(GiftCode.objects.filter(bot=owned.bot).order_by("pk").values_list("pk", flat=True)[:1]),
    }


def _scheduled(owned: World, agent_id: object) -> dict[str, Sequence[object]]:
    """What workflows have, and a task of the agent beside their schedules."""
    rows = workflow_rows.fill(owned.organization, owned.person, agent_id)
    task = task_rows.fill(owned.organization, owned.person, agent_id)
    return {
        **rows,
        "workflows:edit-schedule.schedule_id": rows["schedule_id"],
        "agents:edit-task.schedule_id": [task],
        "schedule_id": [*rows["schedule_id"], task],
    }


def _agent(owned: World) -> tuple[object, object]:
    """An agent with a frozen file and one that is not."""
    who = _caller(owned.person)
    agent = create_agent(who, organization_id=owned.organization.uid, name="Tide watcher", description="Reads tables.")
    agent_rows.fill(who, agent, owned.bot)
    files = [
        ContentFile(b"low 04:10", name="tides.txt"),
        ContentFile(b"name,berth", name="berths of the outer dock.csv"),
    ]
    frozen, free = upload_shared_files(who, agent_id=agent.pk, files=files)
    freeze_shared_file(who, agent_id=agent.pk, file_id=frozen.pk, is_frozen=True)
    return agent.pk, free.pk


def _new_address(person: User) -> str:
    """The link in the mail to an address that the person asked for."""
    return link_token(AddressChange.objects.create(user=person, email="ada@harbour-lights.example.com"))


def _servers(owned: World) -> dict[str, Sequence[object]]:
    """The one that has everything; its own page also where the connection is broken, and where there is none."""
    servers = {server.name: server for server in RemoteServer.objects.filter(organization=owned.organization)}
    crm = servers["HubSpot"]
    changed, plain = crm.tools.get(name="send_mail"), crm.tools.get(name="create_contact")
    return {
        "server_id": [crm.pk],
        "agents:server-tools.server_id": [crm.pk, servers["Warehouse"].pk],
        "tool_id": [changed.pk, plain.pk],
        "mcp_gateway:remote-server.server_id": [crm.pk, servers["Linear"].pk, servers["Old search"].pk],
        "mcp_gateway:remote-activity.server_id": [crm.pk, servers["Sentry"].pk],
        "mcp_gateway:remote-edit.server_id": [crm.pk, servers["Warehouse"].pk],
    }


def _installed(owned: World) -> dict[str, Sequence[object]]:
    """A guild whose bot has servers installed: one in use, and one that is switched off."""
    servers = RemoteServer.objects.filter(organization=owned.organization).order_by("pk")[:2]
    made = [McpInstall.objects.create(guild=owned.guild, server=server) for server in servers]
    McpInstall.objects.filter(pk=made[-1].pk).update(enabled=False)
    return {"guild_id": [owned.guild.discord_id], "install_id": [made[0].pk]}


def newcomer() -> User:
    """Somebody who has just joined: an organization, a plan, and nothing else."""
    return _person("new@example.com", "Noor Haddad", "Northwind")


def populated() -> World:
    """Somebody with a bot in two servers and rows in every state."""
    person = _person("ada@example.com", "Ada Lindqvist", "Harbour Lights", is_staff=True)
    bot = Bot(owner=person, name="Harbourmaster", application_id=FIRST_ID + 1, token="not a real token", sandbox=True)
    bot.last_error, bot.last_error_at = "Discord: Missing Permissions (50013).", timezone.now() - 2 * DAY
    bot.save()
    Bot(
        owner=person, name="Nightwatch", application_id=FIRST_ID + 2, token="neither", status=Bot.Status.UNAUTHORIZED
    ).save()
    guilds = [
        Guild.objects.create(
            bot=bot,
            discord_id=FIRST_ID + 10 + number,
            name=name,
            member_count=members,
            joined_at=timezone.now() - 200 * DAY,
        )
        for number, (name, members) in enumerate((("Harbour", 1_284), ("The Quiet Dock", 96)))
    ]
    bot_rows.fill(bot, guilds, person)
    _connections(person)
    remote_rows.fill(person.organizations.get(), person)
    key = create_key(_caller(person), name="Claude on the laptop", scope=Scope.WRITE).key
    return World(person, bot, guilds[0], person.organizations.get(), key)


def _connections(person: User) -> None:
    """A client that published itself and one that only says where it comes from."""
    for name, client_id, source, used in (
        ("Claude Code", "https://editor.example.net/client.json", Application.RegistrationSource.CIMD, HOUR),
        ("Cursor", "registered", Application.RegistrationSource.DCR, None),
    ):
        application = Application.objects.create(
            name=name,
            client_id=client_id,
            client_type="public",
            registration_source=source,
            redirect_uris="http://127.0.0.1/callback",
            client_uri="https://cursor.example/",
        )
        Connection.objects.create(
            user=person,
            application=application,
            scope=Scope.WRITE,
            connected_at=timezone.now() - DAY,
            last_used_at=timezone.now() - used if used else None,
        )
        RefreshToken.objects.create(
            user=person, application=application, token=name, family_began_at=timezone.now() - DAY
        )
        acting = replace(_caller(person), door=Door.MCP, application_id=application.pk)
        audit.record("mcp.call", caller=acting, tool="agentList", duration_ms=12)


def _invited() -> dict[str, Sequence[object]]:
    """The link of an invitation that nobody has accepted yet."""
    host = _person("host@example.com", "Hosea Marsh", "The Invited", is_staff=False)
    made = create_invitation(_caller(host), organization_id=host.organizations.get().pk, role=Role.MEMBER)
    return {"accounts:invitation.token": [made.token]}


def _forgetful() -> dict[str, Sequence[object]]:
    """The link in the mail to somebody who has forgotten their password."""
    person = _person("forgetful@example.com", "Fergus Amnes", "Elsewhere", is_staff=False)
    name = "accounts:password-reset-choose"
    return {
        f"{name}.uidb64": [urlsafe_base64_encode(force_bytes(person.pk))],
        f"{name}.token": [default_token_generator.make_token(person)],
    }


def _caller(person: User) -> Caller:
    return Caller(user_id=person.pk, scope=Scope.ADMIN, door=Door.PAGE)


def _person(email: str, name: str, organization: str, *, is_staff: bool = False) -> User:
    person: User = UserFactory.create(
        email=email, name=name, password=PASSWORD, is_staff=is_staff, is_superuser=is_staff
    )
    home, _ = Organization.objects.get_or_create(slug=organization.lower().replace(" ", "-"), name=organization)
    Membership.objects.get_or_create(user=person, organization=home, defaults={"role": Role.ADMIN})
    plan = Plan.objects.order_by("rank").last()
    if plan is not None and not Subscription.objects.filter(user=person).exists():
        Subscription.objects.create(user=person, plan=plan, started_on=timezone.now().date())
    return person
