"""What time brings about, with many workers and with workers that die: bans end once, lost acts are settled."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bots.models import Bot, ModerationCase, RateLimitBucket, locks
from bots.services import moderation, sanctions, settling, sweeps
from security.models import AuditEntry
from tests.bots.conftest import Harbour
from tests.bots.factories import ModerationCaseFactory
from tests.bots.processes import Process, in_processes
from tests.threads import at_once, fared


def tempban(harbour: Harbour, user_id: int | None = None) -> ModerationCase:
    """A tempban whose time is over."""
    target = harbour.target if user_id is None else {**harbour.target, "user_id": user_id}
    case = moderation.ban_user(harbour.caller, **target, duration_seconds=60)
    ModerationCase.objects.filter(pk=case.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    return case


def pending(harbour: Harbour, action: str, **fields: Any) -> ModerationCase:
    """A case as a process leaves it that dies between writing it and asking Discord."""
    return ModerationCaseFactory(
        guild=harbour.guild,
        user_id=harbour.member_id,
        action=action,
        status="pending",
        applied_at=None,
        open_key=settling.open_key(harbour.guild, harbour.member_id, "pending"),
        **fields,
    )


def test_a_tempban_that_is_due_is_lifted_and_the_case_expires(harbour: Harbour) -> None:
    case = tempban(harbour)
    assert sweeps.end_due_sanctions() == 1
    case.refresh_from_db()
    assert (case.status, case.open_key) == ("expired", None)
    assert case.ended_at is not None
    assert not harbour.there.bans
    assert sweeps.end_due_sanctions() == 0
    assert AuditEntry.objects.filter(action="mod.tempban.expired").count() == 1


def test_a_tempban_that_is_not_due_holds(harbour: Harbour) -> None:
    moderation.ban_user(harbour.caller, **harbour.target, duration_seconds=3600)
    assert sweeps.end_due_sanctions() == 0
    assert harbour.member_id in harbour.there.bans


@pytest.mark.faults
def test_three_processes_lift_each_of_four_tempbans_exactly_once(harbour: Harbour) -> None:
    for name in "abcd":
        tempban(harbour, harbour.join(name))
    lifted = in_processes(
        3, "from bots.services import sweeps\nprint(sweeps.end_due_sanctions())", DISCORD_SANDBOX_URL=harbour.url
    )
    assert sum(map(int, lifted)) == 4
    assert len(harbour.requests("DELETE")) == 4
    assert set(ModerationCase.objects.values_list("status", flat=True)) == {"expired"}
    assert AuditEntry.objects.filter(action="mod.tempban.expired").count() == 4


def test_eight_threads_lift_one_tempban_once(harbour: Harbour) -> None:
    tempban(harbour)
    assert sum(at_once(*[sweeps.end_due_sanctions] * 8)) == 1
    assert len(harbour.requests("DELETE")) == 1


def test_a_ban_that_is_gone_already_counts_as_lifted(harbour: Harbour) -> None:
    case = tempban(harbour)
    harbour.there.bans.clear()
    assert sweeps.end_due_sanctions() == 1
    case.refresh_from_db()
    assert case.status == "expired"


@pytest.mark.parametrize("replaced_by", [moderation.ban_user, moderation.unban_user], ids=["ban", "unban"])
def test_what_replaced_a_tempban_is_left_alone_when_its_time_comes(harbour: Harbour, replaced_by: Any) -> None:
    tempban(harbour)
    replaced_by(harbour.caller, **harbour.target)
    bans, asked = dict(harbour.there.bans), len(harbour.requests("DELETE"))
    assert sweeps.end_due_sanctions() == 0
    assert harbour.there.bans == bans
    assert len(harbour.requests("DELETE")) == asked


def test_a_ban_for_good_that_arrives_while_the_tempban_is_being_lifted_holds_in_the_end(harbour: Harbour) -> None:
    tempban(harbour)
    harbour.fails("DELETE */bans/*", delay_seconds=0.5)
    outcomes = at_once(sweeps.end_due_sanctions, lambda: moderation.ban_user(harbour.caller, **harbour.target))
    assert fared(outcomes) == ["ok", "ok"]
    assert harbour.member_id in harbour.there.bans
    holding = ModerationCase.objects.get(open_key__isnull=False)
    assert (holding.action, holding.status) == ("ban", "applied")


def test_a_refused_unban_is_tried_again_later_and_says_why(harbour: Harbour) -> None:
    case = tempban(harbour)
    harbour.fails("DELETE */bans/*", status=403, body={"code": 50013, "message": "Missing Permissions"})
    assert sweeps.end_due_sanctions() == 0
    case.refresh_from_db()
    assert case.status == "applied"
    assert "50013" in case.failure
    assert case.next_attempt_at is not None
    assert sweeps.end_due_sanctions() == 0, "it waits"
    ModerationCase.objects.update(next_attempt_at=timezone.now())
    assert sweeps.end_due_sanctions() == 1


def test_a_mute_ends_by_itself_at_discord_and_expires_here(harbour: Harbour) -> None:
    case = moderation.mute_user(harbour.caller, **harbour.target, duration_seconds=60)
    ModerationCase.objects.filter(pk=case.pk).update(expires_at=timezone.now())
    asked = len(harbour.requests(""))
    assert sweeps.end_due_sanctions() == 1
    assert len(harbour.requests("")) == asked


@pytest.mark.parametrize("action", ["kick", "ban"])
def test_a_crash_before_discord_was_asked_is_made_good(harbour: Harbour, action: str) -> None:
    case = pending(harbour, action)
    assert sweeps.finish_interrupted() == 1
    case.refresh_from_db()
    assert case.status == "applied"
    assert harbour.member_id not in harbour.there.members


@pytest.mark.parametrize("action", ["kick", "ban"])
def test_a_crash_after_discord_acted_is_noticed_and_nothing_done_twice(harbour: Harbour, action: str) -> None:
    act = moderation.kick_user if action == "kick" else moderation.ban_user
    case = act(harbour.caller, **harbour.target)
    ModerationCase.objects.filter(pk=case.pk).update(
        status="pending", applied_at=None, open_key=settling.open_key(harbour.guild, harbour.member_id, "pending")
    )
    asked = len(harbour.requests("PUT") + harbour.requests("DELETE"))
    assert sweeps.finish_interrupted() == 1
    case.refresh_from_db()
    assert case.status == "applied"
    assert len(harbour.requests("PUT") + harbour.requests("DELETE")) == asked


def test_somebody_who_left_by_themselves_was_not_kicked(harbour: Harbour) -> None:
    case = pending(harbour, "kick", created_at=timezone.now() - timedelta(minutes=1))
    harbour.there.members.pop(harbour.member_id)
    sweeps.finish_interrupted()
    case.refresh_from_db()
    assert case.status == "failed"
    assert case.failure_code == "10007"


def test_an_act_nobody_waits_for_any_more_is_given_up(harbour: Harbour) -> None:
    case = pending(harbour, "ban", created_at=timezone.now() - timedelta(hours=1))
    assert sweeps.finish_interrupted() == 1
    case.refresh_from_db()
    assert (case.status, case.failure_code) == ("failed", "interrupted")
    assert harbour.member_id in harbour.there.members


def test_an_interrupted_warning_stands_and_is_not_sent_again(harbour: Harbour) -> None:
    case = pending(harbour, "warn")
    sweeps.finish_interrupted()
    case.refresh_from_db()
    assert (case.status, case.direct_message) == ("applied", "unknown")
    assert not harbour.world.messages


def test_the_same_call_after_a_crash_takes_the_case_over(harbour: Harbour) -> None:
    order = sanctions.Sanction(sanctions.Action.BAN, harbour.member_id, "Spam", idempotency_key="once")
    case = pending(harbour, "ban", idempotency_key="once", fingerprint=order.fingerprint)
    again = moderation.ban_user(harbour.caller, **harbour.target, idempotency_key="once")
    assert (again.pk, again.status) == (case.pk, "applied")
    assert ModerationCase.objects.count() == 1


def test_an_interrupted_case_that_meets_a_rate_limit_stays_pending(harbour: Harbour) -> None:
    case = pending(harbour, "ban")
    harbour.fails("PUT */bans/*", retry_after=60)
    assert sweeps.finish_interrupted() == 0
    case.refresh_from_db()
    assert case.status == "pending"
    RateLimitBucket.objects.all().delete()
    assert sweeps.finish_interrupted() == 1
    case.refresh_from_db()
    assert case.status == "applied"


def test_a_case_that_somebody_works_on_is_not_settled_by_the_sweep(harbour: Harbour) -> None:
    pending(harbour, "ban")
    name = f"sanction:{harbour.guild.pk}:{harbour.member_id}"
    with locks.held(name, wait_seconds=0):
        assert at_once(sweeps.finish_interrupted) == [0]
    assert sweeps.finish_interrupted() == 1


@pytest.mark.parametrize("action", ["kick", "ban"])
def test_a_process_killed_while_discord_thinks_leaves_one_act_and_one_case(harbour: Harbour, action: str) -> None:
    """Discord acts, and nobody is there to hear it."""
    harbour.fails("DELETE */members/*", delay_seconds=2)
    harbour.fails("PUT */bans/*", delay_seconds=2)
    code = f"""
from accounts.caller import Caller, Door
from accounts.scopes import Scope
from bots.services import moderation
print("acting", flush=True)
moderation.{action}_user(
    Caller({harbour.bot.owner_id}, Scope.ADMIN, Door.MCP),
    bot_id={harbour.bot.pk}, guild_id={harbour.guild.discord_id}, user_id={harbour.member_id}, reason="Spam",
)
"""
    with Process(code, DISCORD_SANDBOX_URL=harbour.url) as process:
        process.wait_until_ready()
        process.let_go()
        wait_until_asked(harbour)
    # Its lock went with it, so another process takes over at once; its place in Discord's pace ends by itself after
    # some seconds, which here are over.
    RateLimitBucket.objects.update(claims={})
    act = moderation.kick_user if action == "kick" else moderation.ban_user
    case = act(harbour.caller, **harbour.target)
    assert case.status == "applied"
    assert ModerationCase.objects.count() == 1
    assert harbour.member_id not in harbour.there.members
    assert len(harbour.there.audit_log) in {1, 2}, "a ban may be repeated, with one effect"


def wait_until_asked(harbour: Harbour) -> None:
    """Until the other process has written its case and goes to Discord."""
    tick = threading.Event()
    for _ in range(600):
        if ModerationCase.objects.filter(guild=harbour.guild, status="pending", attempts=1).exists():
            return
        tick.wait(0.05)
    pytest.fail("the process never came to act")


@pytest.mark.parametrize("status", [Bot.Status.DISABLED, Bot.Status.UNAUTHORIZED])
def test_bots_that_cannot_act_are_left_out(harbour: Harbour, status: str) -> None:
    tempban(harbour)
    Bot.objects.filter(pk=harbour.bot.pk).update(status=status)
    assert sweeps.end_due_sanctions() == 0
    assert harbour.member_id in harbour.there.bans
