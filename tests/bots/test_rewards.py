"""Roles that gift codes give: put on, taken back, tried again, and each of them once."""

from datetime import timedelta

from django.utils import timezone

from bots.models import Guild, RewardGrant, RewardKind
from bots.services import gift_codes, rewards
from bots.services.gift_codes import Reward
from bots.services.redemption import Redeemer, redeem
from tests.bots.conftest import Harbour
from tests.threads import at_once


def redeemed(harbour: Harbour, reward: Reward) -> RewardGrant:
    (made,) = gift_codes.generate_codes(
        harbour.caller, bot_id=harbour.bot.pk, guild_id=harbour.guild.discord_id, rewards=[reward], max_uses=1
    )
    redeem(Guild.objects.get(pk=harbour.guild.pk), Redeemer(harbour.member_id, "mira"), made.code)
    return RewardGrant.objects.get()


def role_of(harbour: Harbour, position: int = 1) -> int:
    return harbour.world.add_role(harbour.there, "Gift", position=position).id


def test_a_role_for_a_time_is_given_and_taken_back(harbour: Harbour) -> None:
    role_id = role_of(harbour)
    grant = redeemed(harbour, Reward(RewardKind.TEMP_ROLE, role_id=role_id, duration_seconds=60))
    assert rewards.give_pending_roles() == 1
    grant.refresh_from_db()
    assert role_id in harbour.there.members[harbour.member_id].roles
    assert grant.given_at is not None
    assert grant.remove_at == grant.given_at + timedelta(seconds=60)
    assert rewards.take_back_due_roles() == 0
    RewardGrant.objects.update(remove_at=timezone.now())
    assert rewards.take_back_due_roles() == 1
    grant.refresh_from_db()
    assert grant.status == "ended"
    assert role_id not in harbour.there.members[harbour.member_id].roles


def test_a_role_is_given_once_by_eight_workers(harbour: Harbour) -> None:
    redeemed(harbour, Reward(RewardKind.ROLE, role_id=role_of(harbour)))
    assert sum(at_once(*[rewards.give_pending_roles] * 8)) == 1
    assert len(harbour.requests("PUT")) == 1
    assert RewardGrant.objects.get().status == "given"


def test_a_role_above_the_bots_is_tried_again_until_somebody_moves_it(harbour: Harbour) -> None:
    role_id = role_of(harbour, position=8)
    grant = redeemed(harbour, Reward(RewardKind.ROLE, role_id=role_id))
    assert rewards.give_pending_roles() == 0
    grant.refresh_from_db()
    assert grant.status == "pending"
    assert "50013" in grant.failure
    assert rewards.give_pending_roles() == 0, "it waits"
    harbour.there.roles[role_id].position = 1
    RewardGrant.objects.update(lease_until=timezone.now())
    assert rewards.give_pending_roles() == 1
    assert RewardGrant.objects.get().failure == ""


def test_a_role_that_is_gone_fails_for_good(harbour: Harbour) -> None:
    redeemed(harbour, Reward(RewardKind.ROLE, role_id=12345))
    rewards.give_pending_roles()
    assert RewardGrant.objects.get().status == "failed"


def test_a_worker_that_died_with_a_grant_is_replaced_when_its_lease_ends(harbour: Harbour) -> None:
    redeemed(harbour, Reward(RewardKind.ROLE, role_id=role_of(harbour)))
    RewardGrant.objects.update(lease_until=timezone.now() + timedelta(minutes=1), attempts=1)
    assert rewards.give_pending_roles() == 0
    RewardGrant.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert rewards.give_pending_roles() == 1


def test_a_grant_whose_every_attempt_was_interrupted_fails_and_says_so(harbour: Harbour) -> None:
    grant = redeemed(harbour, Reward(RewardKind.ROLE, role_id=role_of(harbour)))
    RewardGrant.objects.update(lease_until=timezone.now() - timedelta(seconds=1), attempts=rewards.MOST_ATTEMPTS)
    assert rewards.give_pending_roles() == 0
    grant.refresh_from_db()
    assert (grant.status, grant.failure) == ("failed", "Every attempt was interrupted.")
