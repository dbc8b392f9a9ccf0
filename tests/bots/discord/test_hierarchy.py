"""Whom a bot may act on, decided without asking; and that the sandbox, which judges by itself, always agrees."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.discord.hierarchy import Act, refusal
from bots.discord.objects import Guild, Member, Role, User
from bots.discord.permissions import EVERYTHING, Permission, in_guild
from bots.discord.sandbox import guilds
from bots.discord.sandbox.calls import Call
from bots.discord.sandbox.fields import Fields
from bots.discord.sandbox.refusals import RefusedError
from bots.discord.sandbox.world import World

GUILD, OWNER, BOT, TARGET = 10, 1, 2, 3
MODERATION = Permission.KICK_MEMBERS | Permission.BAN_MEMBERS | Permission.MODERATE_MEMBERS


def _guild(*roles: tuple[int, int, int], owner: int = OWNER, everyone: int = 0) -> Guild:
    """A guild with roles given as (id, position, permissions)."""
    rows = [Role(id=GUILD, name="@everyone", position=0, permissions=everyone)]
    rows += [Role(id=each, name=f"r{each}", position=at, permissions=may) for each, at, may in roles]
    return Guild(id=GUILD, name="Observatory", owner_id=owner, roles=tuple(rows))


def _member(user_id: int, *roles: int) -> Member:
    return Member(user=User(id=user_id, username=f"u{user_id}"), roles=roles)


def _code(act: Act, guild: Guild, *, bot: Sequence[int], target: Sequence[int] | None, target_id: int = TARGET) -> str:
    member = None if target is None else _member(target_id, *target)
    found = refusal(act, guild=guild, bot=_member(BOT, *bot), target_id=target_id, target=member)
    return found.code if found else ""


STAFF = (20, 5, int(MODERATION))


@pytest.mark.parametrize("act", list(Act))
def test_nobody_acts_on_the_bot_itself_or_on_the_owner(act: Act) -> None:
    assert _code(act, _guild(STAFF), bot=[20], target=[20], target_id=BOT) == "target_is_the_bot"
    assert _code(act, _guild(STAFF), bot=[20], target=[], target_id=OWNER) == "target_owns_the_guild"


@pytest.mark.parametrize("act", [act for act in Act if act is not Act.WARN])
def test_the_permission_that_is_missing_is_named(act: Act) -> None:
    without = (20, 5, int(MODERATION & ~act.permission))
    found = refusal(act, guild=_guild(without), bot=_member(BOT, 20), target_id=TARGET, target=_member(TARGET))

    assert found is not None
    assert found.code == "bot_lacks_permission"
    assert act.permission.label in found.message


@pytest.mark.parametrize(
    ("position", "code"), [(4, ""), (5, "target_outranks_the_bot"), (6, "target_outranks_the_bot")]
)
def test_only_those_below_the_bot_can_be_acted_on(position: int, code: str) -> None:
    guild = _guild(STAFF, (21, position, 0))

    assert _code(Act.KICK, guild, bot=[20], target=[21]) == code


def test_administrator_stands_for_every_permission_but_not_for_rank() -> None:
    guild = _guild((20, 5, int(Permission.ADMINISTRATOR)), (21, 6, 0))

    assert _code(Act.BAN, guild, bot=[20], target=[]) == ""
    assert _code(Act.BAN, guild, bot=[20], target=[21]) == "target_outranks_the_bot"


def test_a_bot_that_owns_the_guild_stands_above_all() -> None:
    guild = _guild((21, 99, int(Permission.ADMINISTRATOR)), owner=BOT)

    assert _code(Act.KICK, guild, bot=[], target=[21]) == ""


def test_administrators_cannot_be_timed_out() -> None:
    guild = _guild(STAFF, (21, 1, int(Permission.ADMINISTRATOR)))

    assert _code(Act.TIMEOUT, guild, bot=[20], target=[21]) == "target_is_administrator"
    assert _code(Act.KICK, guild, bot=[20], target=[21]) == ""


def test_somebody_outside_can_be_banned_and_unbanned_only() -> None:
    guild = _guild(STAFF)

    outcomes = {act: _code(act, guild, bot=[20], target=None) for act in Act}

    allowed = {act for act, code in outcomes.items() if not code}
    assert allowed == {Act.BAN, Act.UNBAN}
    assert {outcomes[act] for act in Act if act not in allowed} == {"target_not_a_member"}


def test_what_everyone_may_do_the_bot_may_do() -> None:
    guild = _guild(everyone=int(Permission.KICK_MEMBERS))

    assert in_guild(guild, _member(BOT)) == Permission.KICK_MEMBERS
    assert in_guild(guild, _member(OWNER)) == EVERYTHING


def test_bits_that_discord_adds_later_are_kept() -> None:
    assert in_guild(_guild((20, 1, 1 << 60)), _member(BOT, 20)) == Permission(1 << 60)


ROLES = st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0, *MODERATION, Permission.ADMINISTRATOR])), max_size=4)
ANSWERS = {Act.KICK: guilds.kick, Act.BAN: guilds.ban, Act.TIMEOUT: guilds.edit_member}


@settings(deadline=None)
@given(
    roles=ROLES,
    bot=st.sets(st.integers(0, 3)),
    target=st.sets(st.integers(0, 3)),
    owner=st.sampled_from([OWNER, BOT, TARGET]),
    act=st.sampled_from(sorted(ANSWERS, key=lambda act: act.name)),
)
def test_the_decision_is_the_one_the_sandbox_takes(
    roles: list[tuple[int, int]], bot: set[int], target: set[int], owner: int, act: Act
) -> None:
    held = {user: [20 + each for each in given if each < len(roles)] for user, given in ((BOT, bot), (TARGET, target))}
    world = World()
    for user_id in (OWNER, BOT, TARGET):
        world.add_user(f"u{user_id}", user_id=user_id)
    row = world.add_guild("Observatory", owner_id=owner, guild_id=GUILD)
    row.roles[GUILD].permissions = 0
    for number, (position, permissions) in enumerate(roles):
        world.add_role(row, f"r{number}", position=position, permissions=permissions, role_id=20 + number)
    for user_id, ids in held.items():
        world.join(row, user_id, roles=ids)
    call = Call(
        world=world,
        bot_id=BOT,
        ids={"guild": GUILD, "user": TARGET},
        query=Fields({}),
        body=Fields({"communication_disabled_until": None}),
        reason=None,
    )

    try:
        ANSWERS[act](call)
        refused = False
    except RefusedError:
        refused = True

    guild = _guild(*((20 + number, at, int(may)) for number, (at, may) in enumerate(roles)), owner=owner)
    decided = _code(act, guild, bot=held[BOT], target=held[TARGET])
    assert bool(decided) == refused
