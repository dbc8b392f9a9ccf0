"""The caller's own plan and what is left of it."""

from dataclasses import dataclass

from accounts.caller import Caller
from accounts.models import Plan
from accounts.scopes import Scope
from accounts.services import plans
from accounts.services.plans import TokenAllowance
from bots.models import Bot


@dataclass(frozen=True, slots=True)
class OwnSubscription:
    """`bots` are the caller's, so that whoever begins here finds their ids."""

    plan: Plan
    ai_tokens: TokenAllowance
    bots: list[Bot]


def get_own_subscription(caller: Caller) -> OwnSubscription:
    """The plan, the AI tokens used of its month, and when the next one begins."""
    caller.require(Scope.READ)
    return OwnSubscription(
        plan=plans.plan_of(caller.user_id),
        ai_tokens=plans.token_allowance(caller.user_id),
        bots=list(Bot.objects.for_caller(caller).order_by("id")),
    )
