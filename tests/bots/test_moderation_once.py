"""One act is carried out once: called twice, at once, under a key, over another sanction, and when answers are lost."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from accounts.errors import Conflict, DomainError
from bots.discord.rest import DiscordError
from bots.models import ModerationCase, RateLimitBucket
from bots.services import moderation, sanctions
from tests.bots.conftest import Harbour
from tests.threads import SECONDS, at_once, fared


def states() -> list[tuple[str, str]]:
    return list(ModerationCase.objects.order_by("number").values_list("action", "status"))


@pytest.mark.parametrize("act", [moderation.kick_user, moderation.ban_user], ids=["kick", "ban"])
def test_calling_twice_acts_once_and_gives_the_same_case(harbour: Harbour, act: Any) -> None:
    first = act(harbour.caller, **harbour.target)
    second = act(harbour.caller, **harbour.target)
    assert second.pk == first.pk
    assert ModerationCase.objects.count() == 1
    assert len(harbour.requests("DELETE") + harbour.requests("PUT")) == 1


@pytest.mark.parametrize("act", [moderation.kick_user, moderation.ban_user], ids=["kick", "ban"])
def test_eight_calls_at_once_act_once(harbour: Harbour, act: Any) -> None:
    acting_takes_time(harbour)
    outcomes = at_once(*[lambda: act(harbour.caller, **harbour.target)] * 8)
    assert fared(outcomes) == ["ok"] * 8
    assert ModerationCase.objects.count() == 1
    assert len(harbour.requests("DELETE") + harbour.requests("PUT")) == 1


def test_without_the_members_lock_calls_at_once_collide(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above would notice: this is what it sees when nothing serialises the calls but the database's rules."""
    gate = threading.Barrier(3, timeout=SECONDS)

    @contextmanager
    def all_at_once(*_: Any) -> Iterator[None]:
        gate.wait()
        yield

    monkeypatch.setattr(sanctions, "target_locked", all_at_once)
    acting_takes_time(harbour)
    outcomes = at_once(*[lambda: moderation.ban_user(harbour.caller, **harbour.target)] * 3)
    assert "busy" in fared(outcomes)
    assert ModerationCase.objects.count() == 1


def acting_takes_time(harbour: Harbour) -> None:
    """Long enough for everybody else to come and look while the first one acts."""
    for match in ("DELETE */members/*", "PUT */bans/*"):
        harbour.fails(match, delay_seconds=1.5)


def test_eight_warnings_at_once_under_one_key_are_one(harbour: Harbour) -> None:
    outcomes = at_once(*[lambda: moderation.warn_user(harbour.caller, **harbour.target, idempotency_key="once")] * 8)
    assert fared(outcomes) == ["ok"] * 8
    assert ModerationCase.objects.count() == 1
    assert len(harbour.requests("POST /channels")) == 1


def test_one_key_for_two_members_at_once_serves_one_of_them(harbour: Harbour) -> None:
    targets = [{**harbour.target, "user_id": user_id} for user_id in (harbour.member_id, harbour.join("nils"))]
    outcomes = at_once(
        *[partial(moderation.kick_user, harbour.caller, **target, idempotency_key="same") for target in targets]
    )
    assert Counter(fared(outcomes)) == {"ok": 1, "idempotency_key_reused": 1}
    assert ModerationCase.objects.count() == 1


def test_a_key_used_for_another_act_is_refused(harbour: Harbour) -> None:
    moderation.warn_user(harbour.caller, **harbour.target, idempotency_key="key")
    with pytest.raises(Conflict, match="used for another act"):
        moderation.warn_user(harbour.caller, **{**harbour.target, "reason": "Other"}, idempotency_key="key")


def test_a_failed_act_gives_its_key_back(harbour: Harbour) -> None:
    harbour.fails("DELETE */members/*", status=403, body={"code": 50013, "message": "Missing Permissions"})
    with pytest.raises(DiscordError):
        moderation.kick_user(harbour.caller, **harbour.target, idempotency_key="key")
    moderation.kick_user(harbour.caller, **harbour.target, idempotency_key="key")
    assert states() == [("kick", "failed"), ("kick", "applied")]


def test_two_warnings_without_a_key_are_two(harbour: Harbour) -> None:
    moderation.warn_user(harbour.caller, **harbour.target)
    moderation.warn_user(harbour.caller, **harbour.target)
    assert states() == [("warn", "applied")] * 2


def test_somebody_who_came_back_is_kicked_again(harbour: Harbour) -> None:
    moderation.kick_user(harbour.caller, **harbour.target)
    harbour.world.join(harbour.there, harbour.member_id)
    moderation.kick_user(harbour.caller, **harbour.target)
    assert states() == [("kick", "applied")] * 2
    assert harbour.member_id not in harbour.there.members


@pytest.mark.parametrize("act", [moderation.kick_user, moderation.ban_user], ids=["kick", "ban"])
def test_an_answer_lost_after_the_effect_leaves_one_applied_case(harbour: Harbour, act: Any) -> None:
    harbour.fails("DELETE */members/*", drop="after")
    harbour.fails("PUT */bans/*", drop="after")
    case = act(harbour.caller, **harbour.target)
    assert case.status == "applied"
    assert harbour.member_id not in harbour.there.members
    assert len(harbour.there.audit_log) == 1


def test_a_ban_for_good_supersedes_a_tempban(harbour: Harbour) -> None:
    moderation.ban_user(harbour.caller, **harbour.target, duration_seconds=3600)
    moderation.ban_user(harbour.caller, **harbour.target)
    assert states() == [("tempban", "superseded"), ("ban", "applied")]


def test_a_tempban_that_could_not_be_replaced_still_ends(harbour: Harbour) -> None:
    moderation.ban_user(harbour.caller, **harbour.target, duration_seconds=3600)
    harbour.fails("PUT */bans/*", status=403, body={"code": 50013, "message": "Missing Permissions"})
    with pytest.raises(DiscordError):
        moderation.ban_user(harbour.caller, **harbour.target)
    assert states() == [("tempban", "applied"), ("ban", "failed")]


def test_a_ban_for_good_is_not_shortened_in_passing(harbour: Harbour) -> None:
    moderation.ban_user(harbour.caller, **harbour.target)
    with pytest.raises(Conflict, match="banned for good"):
        moderation.ban_user(harbour.caller, **harbour.target, duration_seconds=60)
    assert states() == [("ban", "applied")]


def test_a_ban_lifted_at_discord_itself_can_be_given_again(harbour: Harbour) -> None:
    moderation.ban_user(harbour.caller, **harbour.target)
    harbour.there.bans.clear()
    moderation.ban_user(harbour.caller, **harbour.target)
    assert states() == [("ban", "revoked"), ("ban", "applied")]
    assert harbour.member_id in harbour.there.bans


def test_unbanning_ends_the_ban_and_doing_it_again_does_nothing(harbour: Harbour) -> None:
    moderation.ban_user(harbour.caller, **harbour.target, duration_seconds=3600)
    first = moderation.unban_user(harbour.caller, **harbour.target)
    again = moderation.unban_user(harbour.caller, **harbour.target)
    assert again.pk == first.pk
    assert states() == [("tempban", "revoked"), ("unban", "applied")]
    assert not harbour.there.bans


def test_a_call_that_meets_a_rate_limit_did_nothing_and_can_be_sent_again(harbour: Harbour) -> None:
    harbour.fails("PUT */bans/*", retry_after=60)
    with pytest.raises(DomainError) as refused:
        moderation.ban_user(harbour.caller, **harbour.target, idempotency_key="key")
    assert refused.value.code == "discord_rate_limited"
    RateLimitBucket.objects.all().delete()
    moderation.ban_user(harbour.caller, **harbour.target, idempotency_key="key")
    assert states() == [("ban", "failed"), ("ban", "applied")]


def test_an_answer_that_stays_away_leaves_the_case_pending_until_discord_is_back(harbour: Harbour) -> None:
    harbour.fails("DELETE */members/*", drop="after", times=1)
    harbour.fails("DELETE */members/*", drop="before", times=20)
    harbour.fails("GET */audit-logs*", drop="before", times=20)
    with pytest.raises(DomainError, match="is not known yet") as open_:
        moderation.kick_user(harbour.caller, **harbour.target)
    assert open_.value.code == "outcome_unknown"
    assert states() == [("kick", "pending")]
    harbour.works_again()
    assert moderation.kick_user(harbour.caller, **harbour.target).status == "applied"
    assert states() == [("kick", "applied")]
