"""Remote servers in a guild: the plan's limit holds, a downgrade deletes nothing, and a bot's owner alone decides."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.caller import Caller
from accounts.errors import Conflict, NotFound, PlanLimit
from accounts.models import Organization
from bots.models import Bot, Guild, McpInstall
from bots.services import installs
from security.models import AuditEntry
from tests.bots.factories import BotFactory, GuildFactory, subscribe
from tests.factories import MembershipFactory, RemoteServerFactory, caller_for
from tests.threads import at_once, fared

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization(db: None) -> Organization:
    membership = MembershipFactory()
    subscribe(membership.user, max_mcp_installs=2)
    BotFactory(owner=membership.user)
    found: Organization = membership.organization
    return found


@pytest.fixture
def guild(organization: Organization) -> Guild:
    made: Guild = GuildFactory(bot=Bot.objects.get(owner__memberships__organization=organization))
    return made


@pytest.fixture
def owner(guild: Guild) -> Caller:
    return caller_for(guild.bot.owner)


def install(owner: Caller, guild: Guild, organization: Organization) -> McpInstall:
    server = RemoteServerFactory(organization=organization)
    return installs.install(owner, guild_id=guild.discord_id, bot_id=guild.bot_id, server_id=server.pk)


def test_what_is_installed_can_be_used(owner: Caller, guild: Guild, organization: Organization) -> None:
    made = install(owner, guild, organization)
    assert installs.server_ids_in_use(guild) == [made.server_id]
    assert installs.installable(owner, guild) == []
    installs.set_enabled(owner, guild_id=guild.discord_id, install_id=made.pk, enabled=False)
    assert installs.server_ids_in_use(guild) == []
    installs.remove(owner, guild_id=guild.discord_id, install_id=made.pk)
    assert not McpInstall.objects.exists()
    actions = AuditEntry.objects.filter(action__startswith="mcp_install").order_by("id")
    assert list(actions.values_list("action", flat=True)) == [
        "mcp_install.create",
        "mcp_install.disable",
        "mcp_install.delete",
    ]


def test_the_same_server_is_installed_once(owner: Caller, guild: Guild, organization: Organization) -> None:
    made = install(owner, guild, organization)
    with pytest.raises(Conflict, match="already"):
        installs.install(owner, guild_id=guild.discord_id, bot_id=guild.bot_id, server_id=made.server_id)


def test_a_plan_without_installs_refuses_and_names_one_that_has_them(
    owner: Caller, guild: Guild, organization: Organization
) -> None:
    guild.bot.owner.subscription.delete()
    with pytest.raises(PlanLimit, match="Creator Edition"):
        install(owner, guild, organization)
    assert not McpInstall.objects.exists()


def test_a_downgrade_puts_the_newest_out_of_use_and_deletes_nothing(
    owner: Caller, guild: Guild, organization: Organization
) -> None:
    first, second = install(owner, guild, organization), install(owner, guild, organization)
    subscribe(guild.bot.owner, max_mcp_installs=1)
    assert installs.server_ids_in_use(guild) == [first.server_id]
    assert {one.install.pk: one.beyond_plan for one in installs.list_installs(owner, guild)} == {
        first.pk: False,
        second.pk: True,
    }
    subscribe(guild.bot.owner, max_mcp_installs=2)
    assert installs.server_ids_in_use(guild) == [first.server_id, second.server_id]


def test_one_that_was_switched_off_comes_back_only_where_there_is_room(
    owner: Caller, guild: Guild, organization: Organization
) -> None:
    first = install(owner, guild, organization)
    installs.set_enabled(owner, guild_id=guild.discord_id, install_id=first.pk, enabled=False)
    install(owner, guild, organization)
    install(owner, guild, organization)
    with pytest.raises(PlanLimit):
        installs.set_enabled(owner, guild_id=guild.discord_id, install_id=first.pk, enabled=True)


@pytest.mark.django_db(transaction=True)
def test_the_last_place_is_given_once(owner: Caller, guild: Guild, organization: Organization) -> None:
    subscribe(guild.bot.owner, max_mcp_installs=1)
    servers = [RemoteServerFactory(organization=organization) for _ in range(4)]

    def installing(server_id: int) -> Any:
        return lambda: installs.install(owner, guild_id=guild.discord_id, bot_id=guild.bot_id, server_id=server_id)

    outcomes = fared(at_once(*(installing(server.pk) for server in servers)))
    assert sorted(outcomes) == ["ok", "plan_limit", "plan_limit", "plan_limit"]
    assert McpInstall.objects.count() == 1


def test_neither_anothers_server_nor_anothers_guild_is_found(
    owner: Caller, guild: Guild, organization: Organization
) -> None:
    made = install(owner, guild, organization)
    other = caller_for(MembershipFactory(organization=organization).user)
    foreign = RemoteServerFactory()
    with pytest.raises(NotFound):
        installs.install(owner, guild_id=guild.discord_id, bot_id=guild.bot_id, server_id=foreign.pk)
    with pytest.raises(NotFound):
        installs.guilds_with_id(other, guild.discord_id)
    with pytest.raises(NotFound):
        installs.remove(other, guild_id=guild.discord_id, install_id=made.pk)
    assert McpInstall.objects.count() == 1


def test_whoever_leaves_the_organization_no_longer_sees_its_servers(
    owner: Caller, guild: Guild, organization: Organization
) -> None:
    install(owner, guild, organization)
    guild.bot.owner.memberships.all().delete()
    assert installs.list_installs(owner, guild) == []


def test_the_page_installs_switches_and_removes(
    client: Client, owner: Caller, guild: Guild, organization: Organization
) -> None:
    server = RemoteServerFactory(organization=organization, name="Tide tables")
    client.force_login(guild.bot.owner)
    address = f"/dashboard/{guild.discord_id}/mcp"
    assert "No servers installed" in client.get(address).content.decode()
    client.post(address, {"bot": guild.bot_id, "server": server.pk})
    made = McpInstall.objects.get()
    page = client.get(address).content.decode()
    assert "Tide tables" in page
    assert "Not connected" in page
    client.post(f"{address}/{made.pk}/switch", {"enabled": "off"})
    assert "Switched off" in client.get(address).content.decode()
    client.post(f"{address}/{made.pk}/remove")
    assert not McpInstall.objects.exists()


def test_the_page_of_a_small_plan_names_the_plan_and_links_to_them(
    client: Client, owner: Caller, guild: Guild, organization: Organization
) -> None:
    install(owner, guild, organization)
    guild.bot.owner.subscription.delete()
    client.force_login(guild.bot.owner)
    page = client.get(f"/dashboard/{guild.discord_id}/mcp").content.decode()
    assert "They come with Creator Edition" in page
    assert "Beyond the plan" in page
    assert f'href="{reverse("dashboard:plans")}"' in page


def test_a_form_sent_from_a_small_plan_is_refused_in_words(
    client: Client, owner: Caller, guild: Guild, organization: Organization
) -> None:
    server = RemoteServerFactory(organization=organization)
    guild.bot.owner.subscription.delete()
    client.force_login(guild.bot.owner)
    answer = client.post(f"/dashboard/{guild.discord_id}/mcp", {"bot": guild.bot_id, "server": server.pk})
    assert answer.status_code == 422
    assert "Creator Edition has room for more" in answer.content.decode()
