"""What the client does at Discord, seen from Discord's side."""

from datetime import UTC, datetime, timedelta

import pytest

from bots.discord.rest import DiscordError, JsonCode
from tests.fakes.discord import ServedDiscord

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_bot_reads_itself_its_guilds_and_a_guild_with_its_roles(discord: ServedDiscord) -> None:
    client = discord.client()

    assert client.current_user().id == discord.bot_id
    assert [guild.id for guild in client.guilds()] == [discord.guild_id]
    guild = client.guild(discord.guild_id)
    assert guild.owner_id == discord.owner_id
    assert {role.name for role in guild.roles} == {"@everyone", "Stargazer", "Chief", "astero"}
    assert guild.approximate_member_count == len(discord.guild.members)
    assert client.roles(discord.guild_id) == list(guild.roles)


def test_somebody_outside_the_guild_is_no_member_and_nobody_has_an_unknown_id(discord: ServedDiscord) -> None:
    client = discord.client()

    assert client.find_member(discord.guild_id, discord.stranger_id) is None
    assert client.find_member(discord.guild_id, 1) is None
    found = client.find_member(discord.guild_id, discord.member_id)
    assert found is not None
    assert found.user.username == "mira"


def test_a_kick_removes_the_member_and_leaves_the_reason_in_the_audit_log(discord: ServedDiscord) -> None:
    client = discord.client()

    client.kick(discord.guild_id, discord.member_id, reason="Spam, twice — „schon wieder“ 🚫")

    assert discord.member_id not in discord.guild.members
    (entry,) = client.audit_log(discord.guild_id, action_type=20, acted_by=discord.bot_id)
    assert (entry.target_id, entry.reason) == (discord.member_id, "Spam, twice — „schon wieder“ 🚫")
    assert abs(entry.at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_reason_longer_than_discord_takes_is_cut(discord: ServedDiscord) -> None:
    discord.client().kick(discord.guild_id, discord.member_id, reason="ß" * 600)

    assert discord.guild.audit_log[0].reason == "ß" * 512


def test_a_ban_is_found_until_it_is_lifted(discord: ServedDiscord) -> None:
    client = discord.client()
    assert client.find_ban(discord.guild_id, discord.member_id) is None

    client.ban(discord.guild_id, discord.member_id, reason="Scam", delete_message_seconds=3600)

    ban = client.find_ban(discord.guild_id, discord.member_id)
    assert ban is not None
    assert ban.reason == "Scam"
    assert discord.member_id not in discord.guild.members
    client.unban(discord.guild_id, discord.member_id, reason="Served")
    assert client.find_ban(discord.guild_id, discord.member_id) is None


def test_somebody_outside_the_guild_can_be_banned(discord: ServedDiscord) -> None:
    discord.client().ban(discord.guild_id, discord.stranger_id, reason="Known scammer")

    assert discord.stranger_id in discord.guild.bans


def test_lifting_a_ban_that_is_not_there_says_so(discord: ServedDiscord) -> None:
    with pytest.raises(DiscordError) as refused:
        discord.client().unban(discord.guild_id, discord.member_id, reason="?")

    assert refused.value.discord_code == JsonCode.UNKNOWN_BAN
    assert "no ban to lift" in refused.value.message


def test_a_time_out_is_set_and_taken_back(discord: ServedDiscord) -> None:
    client, until = discord.client(), datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)

    member = client.time_out(discord.guild_id, discord.member_id, until=until, reason="Cool down")
    assert member.communication_disabled_until == until

    member = client.time_out(discord.guild_id, discord.member_id, until=None, reason="Enough")
    assert member.communication_disabled_until is None


def test_a_role_is_given_and_taken(discord: ServedDiscord) -> None:
    client = discord.client()

    client.add_role(discord.guild_id, discord.member_id, discord.role_id, reason="Gift code")
    assert client.member(discord.guild_id, discord.member_id).roles == (discord.role_id,)

    client.remove_role(discord.guild_id, discord.member_id, discord.role_id, reason="Over")
    assert client.member(discord.guild_id, discord.member_id).roles == ()


def test_a_direct_message_arrives_in_one_channel_however_often_it_is_opened(discord: ServedDiscord) -> None:
    client = discord.client()

    channel = client.open_dm(discord.member_id)
    assert client.open_dm(discord.member_id).id == channel.id
    client.send_message(channel.id, "You were warned: no @everyone")

    (message,) = discord.world.messages
    assert (message.channel_id, message.content) == (channel.id, "You were warned: no @everyone")
    (sent,) = discord.requests(lambda request: request["path"].endswith("/messages"))
    assert sent["body"]["allowed_mentions"] == {"parse": []}


def test_a_ticket_channel_is_renamed_and_deleted(discord: ServedDiscord) -> None:
    client = discord.client()

    assert client.edit_channel(discord.channel_id, {"name": "closed-1"}, reason="Closed").name == "closed-1"
    assert client.channel(discord.channel_id).name == "closed-1"
    client.delete_channel(discord.channel_id, reason="Done")

    assert discord.channel_id not in discord.world.channels


@pytest.mark.parametrize(
    ("target", "code"),
    [("owner_id", JsonCode.MISSING_PERMISSIONS), ("chief_id", JsonCode.MISSING_PERMISSIONS)],
)
def test_discord_refuses_to_act_on_the_owner_and_on_higher_roles(
    discord: ServedDiscord, target: str, code: JsonCode
) -> None:
    with pytest.raises(DiscordError) as refused:
        discord.client().ban(discord.guild_id, getattr(discord, target), reason="x")

    assert (refused.value.status, refused.value.discord_code) == (403, code)
    assert "drag it above" in refused.value.message


def test_a_refused_value_is_named_with_discords_complaint(discord: ServedDiscord) -> None:
    with pytest.raises(DiscordError) as refused:
        discord.client().ban(discord.guild_id, discord.member_id, reason="x", delete_message_seconds=604_801)

    assert refused.value.discord_code == JsonCode.INVALID_FORM_BODY
    assert "delete_message_seconds" in refused.value.fields
    assert "604800" in refused.value.message


def test_closed_direct_messages_do_not_speak_against_the_bot(discord: ServedDiscord) -> None:
    told: list[DiscordError] = []
    client = discord.client(on_refusal=told.append)

    with pytest.raises(DiscordError) as refused:
        client.send_message(client.open_dm(discord.closed_id).id, "Hello")

    assert refused.value.discord_code == JsonCode.CANNOT_MESSAGE_USER
    assert told == []


def test_a_dead_token_is_told_to_whoever_asked_to_hear(discord: ServedDiscord) -> None:
    told: list[DiscordError] = []
    with discord.changing() as world:
        world.bots[0].token = "reset"

    with pytest.raises(DiscordError):
        discord.client(on_refusal=told.append).current_user()

    (error,) = told
    assert error.token_rejected
    assert "developer portal" in error.advice


def test_a_bot_that_was_removed_is_told_to_whoever_asked_to_hear(discord: ServedDiscord) -> None:
    told: list[DiscordError] = []
    with discord.changing() as world:
        del world.guilds[discord.guild_id].members[discord.bot_id]

    with pytest.raises(DiscordError):
        discord.client(on_refusal=told.append).guild(discord.guild_id)

    assert [error.discord_code for error in told] == [JsonCode.MISSING_ACCESS]
