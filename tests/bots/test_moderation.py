"""Moderation at a Discord that answers and refuses: whom the bot acts on, and what stays in the case."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, ScopeMissing
from accounts.scopes import Scope
from bots.discord.permissions import Permission
from bots.discord.rest import DiscordError
from bots.models import Bot, GuildMembership, ModerationCase
from bots.services import moderation
from security.models import AuditEntry
from tests.bots.conftest import Harbour
from tests.bots.factories import BotFactory, GuildFactory, GuildMembershipFactory, ModerationCaseFactory, caller_for


def states() -> list[tuple[str, str]]:
    return list(ModerationCase.objects.order_by("number").values_list("action", "status"))


def test_a_kicked_member_is_gone_and_the_case_applied(harbour: Harbour) -> None:
    known = GuildMembershipFactory(guild=harbour.guild, user_id=harbour.member_id)
    case = moderation.kick_user(harbour.caller, **harbour.target)
    assert harbour.member_id not in harbour.there.members
    assert (case.number, case.status, case.user_name, case.reason) == (1, "applied", "mira", "Spam")
    assert case.applied_at is not None
    assert GuildMembership.objects.get(pk=known.pk).left_at is not None
    assert harbour.there.audit_log[0].reason == f"Case 1, {harbour.bot.owner.name}: Spam"


def test_cases_are_numbered_by_guild(harbour: Harbour) -> None:
    ModerationCaseFactory()
    for name in ("a", "b", "c"):
        moderation.warn_user(harbour.caller, **{**harbour.target, "user_id": harbour.join(name)})
    assert list(harbour.guild.cases.order_by("id").values_list("number", flat=True)) == [1, 2, 3]


def test_the_act_and_how_it_ended_are_both_in_the_audit(harbour: Harbour) -> None:
    case = moderation.kick_user(harbour.caller, **harbour.target)
    entries = AuditEntry.objects.filter(target=f"case:{case.pk}").order_by("id")
    assert [(entry.action, entry.user_id) for entry in entries] == [
        ("mod.kick", harbour.bot.owner_id),
        ("mod.kick.applied", None),
    ]


def test_a_warning_reaches_the_member(harbour: Harbour) -> None:
    case = moderation.warn_user(harbour.caller, **harbour.target)
    assert case.direct_message == "sent"
    assert [message.content for message in harbour.world.messages] == ["You were warned in Harbour: Spam"]


def test_a_warning_stands_although_the_member_takes_no_messages(harbour: Harbour) -> None:
    shy = harbour.join("shy", takes_direct_messages=False)
    case = moderation.warn_user(harbour.caller, **{**harbour.target, "user_id": shy})
    assert (case.status, case.direct_message) == ("applied", "failed")
    assert "50007" in case.failure
    assert Bot.objects.get(pk=harbour.bot.pk).last_error == ""


@pytest.mark.parametrize("act", [moderation.kick_user, moderation.ban_user, moderation.warn_user])
@pytest.mark.parametrize(
    ("who", "code"),
    [("owner_id", "target_owns_the_guild"), ("boss_id", "target_outranks_the_bot"), ("bot", "target_is_the_bot")],
)
def test_whom_the_bot_may_not_touch_is_left_alone(harbour: Harbour, act: Any, who: str, code: str) -> None:
    user_id = harbour.bot.application_id if who == "bot" else getattr(harbour, who)
    with pytest.raises(Forbidden) as refused:
        act(harbour.caller, **{**harbour.target, "user_id": user_id})
    assert refused.value.code == code
    assert not ModerationCase.objects.exists()
    assert not harbour.requests("DELETE") + harbour.requests("PUT") + harbour.requests("POST")


def test_a_missing_permission_is_named_before_discord_is_asked(harbour: Harbour) -> None:
    for role in harbour.there.roles.values():
        role.permissions &= ~int(Permission.BAN_MEMBERS)
    with pytest.raises(Forbidden, match="Ban Members"):
        moderation.ban_user(harbour.caller, **harbour.target)
    assert not ModerationCase.objects.exists()


def test_roles_are_read_anew_before_every_act(harbour: Harbour) -> None:
    moderation.warn_user(harbour.caller, **harbour.target)
    boss = next(role for role in harbour.there.roles.values() if role.name == "Boss")
    harbour.there.members[harbour.member_id].roles.append(boss.id)
    with pytest.raises(Forbidden):
        moderation.kick_user(harbour.caller, **harbour.target)


def test_discords_refusal_fails_the_case_and_says_what_to_do(harbour: Harbour) -> None:
    harbour.fails("PUT */bans/*", status=403, body={"code": 50013, "message": "Missing Permissions"})
    with pytest.raises(DiscordError) as refused:
        moderation.ban_user(harbour.caller, **harbour.target)
    case = ModerationCase.objects.get()
    assert (case.status, case.failure_code, case.open_key) == ("failed", "50013", None)
    assert refused.value.data["discordCode"] == 50013
    assert refused.value.data["caseId"] == str(case.pk)
    assert "drag it above" in refused.value.message
    assert "50013" in Bot.objects.get(pk=harbour.bot.pk).last_error


def test_a_dead_token_is_recorded_on_the_bot_and_not_used_again(harbour: Harbour) -> None:
    harbour.world.bots.clear()
    with pytest.raises(DiscordError):
        moderation.kick_user(harbour.caller, **harbour.target)
    bot = Bot.objects.get(pk=harbour.bot.pk)
    assert bot.status == "unauthorized"
    assert bot.last_error_at is not None
    asked = len(harbour.requests(""))
    with pytest.raises(Conflict, match="refuses the token"):
        moderation.kick_user(harbour.caller, **harbour.target)
    assert len(harbour.requests("")) == asked


def test_a_tempban_ends_at_its_time_from_when_it_was_applied(harbour: Harbour) -> None:
    case = moderation.ban_user(harbour.caller, **harbour.target, duration_seconds=3600)
    assert case.action == "tempban"
    assert case.applied_at is not None
    assert case.expires_at == case.applied_at + timedelta(hours=1)


def test_messages_are_deleted_as_far_back_as_asked(harbour: Harbour) -> None:
    moderation.ban_user(harbour.caller, **harbour.target, delete_message_seconds=3600)
    assert harbour.requests("PUT")[0]["body"] == {"delete_message_seconds": 3600}


@pytest.mark.parametrize(
    "asked",
    [
        {"delete_message_seconds": 604_801},
        {"delete_message_seconds": -1},
        {"duration_seconds": 0},
        {"duration_seconds": 10**12},
        {"reason": " "},
        {"reason": "x" * 501},
    ],
    ids=str,
)
def test_what_discord_would_not_take_is_refused_at_once(harbour: Harbour, asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        moderation.ban_user(harbour.caller, **{**harbour.target, **asked})
    assert not harbour.requests("")


def test_there_is_nothing_to_lift_where_nobody_is_banned_or_muted(harbour: Harbour) -> None:
    for act, code in ((moderation.unban_user, "not_banned"), (moderation.unmute_user, "not_muted")):
        with pytest.raises(Conflict) as refused:
            act(harbour.caller, **harbour.target)
        assert refused.value.code == code


def test_a_mute_holds_once_and_is_lifted(harbour: Harbour) -> None:
    first = moderation.mute_user(harbour.caller, **harbour.target, duration_seconds=600)
    again = moderation.mute_user(harbour.caller, **harbour.target, duration_seconds=600)
    assert again.pk == first.pk
    until = harbour.there.members[harbour.member_id].timed_out_until
    assert until is not None
    assert abs((until - timezone.now()).total_seconds() - 600) < 60
    moderation.unmute_user(harbour.caller, **harbour.target)
    assert harbour.there.members[harbour.member_id].timed_out_until is None
    assert states() == [("mute", "revoked"), ("unmute", "applied")]


def test_reading_does_not_allow_acting(harbour: Harbour) -> None:
    reader = caller_for(harbour.bot.owner, Scope.READ)
    with pytest.raises(ScopeMissing):
        moderation.kick_user(reader, **harbour.target)
    assert not harbour.requests("")


def test_somebody_elses_bot_and_guild_are_not_found(harbour: Harbour) -> None:
    stranger = BotFactory()
    foreign = GuildFactory(bot=stranger)
    for asked in (
        {},
        {"bot_id": stranger.pk},
        {"bot_id": stranger.pk, "guild_id": foreign.discord_id + 10**6},
    ):
        with pytest.raises(NotFound):
            moderation.kick_user(caller_for(stranger.owner), **{**harbour.target, **asked})
    assert not harbour.requests("")


def test_no_sanction_is_begun_inside_a_transaction(harbour: Harbour) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        moderation.kick_user(harbour.caller, **harbour.target)


@pytest.mark.django_db
def test_cases_are_narrowed_by_guild_member_and_action() -> None:
    wanted = ModerationCaseFactory(action="kick")
    guild = wanted.guild
    ModerationCaseFactory(guild=guild, action="kick")
    ModerationCaseFactory(guild=guild, user_id=wanted.user_id)
    ModerationCaseFactory(guild__bot=guild.bot, user_id=wanted.user_id, action="kick")
    page = moderation.list_cases(
        caller_for(guild.bot.owner),
        bot_id=guild.bot_id,
        guild_id=guild.discord_id,
        user_id=wanted.user_id,
        action="kick",
    )
    assert [case.pk for case in page.rows] == [wanted.pk]


def test_an_error_is_one_a_person_can_be_told(harbour: Harbour) -> None:
    harbour.fails("GET */guilds/*", retry_after=3600, scope="shared")
    with pytest.raises(DomainError) as refused:
        moderation.kick_user(harbour.caller, **harbour.target)
    assert refused.value.data["retry_after"] > 60
    assert not ModerationCase.objects.exists()
