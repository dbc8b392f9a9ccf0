"""Which plan holds for a person, what is left of it, and the AI tokens charged to it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Invalid, NotFound, PlanLimit
from accounts.models import FREE, Plan, Subscription, TokenUsage, User
from accounts.scopes import Scope
from security import audit

# The plan: one row by the unique index on (user, day, product); concurrent charges queue on it and none is lost.
CHARGE = """
    INSERT INTO accounts_tokenusage (user_id, day, product, tokens) VALUES (%s, %s, %s, %s)
    ON CONFLICT (user_id, day, product) DO UPDATE SET tokens = accounts_tokenusage.tokens + excluded.tokens
"""


@dataclass(frozen=True, slots=True)
class TokenAllowance:
    """AI tokens of the current month. Without a `quota` there is no limit, and nothing `left` to say."""

    quota: int | None
    used: int
    period_start: datetime
    period_end: datetime
    renews_at: datetime | None

    @property
    def left(self) -> int | None:
        return None if self.quota is None else max(0, self.quota - self.used)


def free_plan() -> Plan:
    """The plan of whoever has no other: FREE, or the lowest where an operator renamed it."""
    plan = Plan.objects.filter(code=FREE).first() or Plan.objects.order_by("rank").first()
    if plan is None:
        raise NotFound("There is no plan at all. Run `manage.py migrate`, which makes the first ones.")
    return plan


def plan_of(user_id: int, *, lock: bool = False) -> Plan:
    """The plan that holds for the person now: FREE once a subscription has ended.

    With `lock` nobody else counts against its limits until the transaction ends.
    """
    subscription = _subscription(user_id, lock=lock)
    return free_plan() if subscription is None or subscription.has_ended else subscription.plan


def require_room(user_id: int, limit: str, *, used: int, adding: int = 1) -> None:
    """Raise `PlanLimit` unless `adding` more fit beside the `used` ones. Call it under `plan_of(…, lock=True)`."""
    plan = plan_of(user_id)
    allowed = plan.limit(limit)
    if allowed is None or used + adding <= allowed:
        return
    larger = next(
        (
            other.name
            for other in Plan.objects.filter(rank__gt=plan.rank)
            if (room := other.limit(limit)) is None or room >= used + adding
        ),
        "",
    )
    advice = f"{larger} has room for more." if larger else "Free some first."
    raise PlanLimit(
        f"The plan {plan.name} includes {allowed:,} {Plan.limit_label(limit)}; {used:,} are used. {advice}",
        data={"plan": plan.code, "limit": limit, "allowed": allowed, "used": used},
    )


def record_tokens(user_id: int, product: str, tokens: int) -> None:
    """Charge AI tokens to the person's day. Exact under any number of writers."""
    if tokens < 0:
        raise ValueError("Tokens that were used cannot be given back.")
    if tokens:
        with connection.cursor() as cursor:
            cursor.execute(CHARGE, [user_id, timezone.now().astimezone(UTC).date(), product, tokens])


def token_allowance(user_id: int) -> TokenAllowance:
    """How much of the month's AI tokens is used."""
    subscription = _subscription(user_id) or Subscription(plan=free_plan(), started_on=_joined_on(user_id))
    plan = free_plan() if subscription.has_ended else subscription.plan
    period = subscription.period()
    used = TokenUsage.objects.filter(user_id=user_id, day__gte=period.first, day__lt=period.next_first).aggregate(
        sum=Sum("tokens")
    )["sum"]
    return TokenAllowance(plan.monthly_ai_tokens, used or 0, period.start, period.end, subscription.renews_at)


def require_tokens(user_id: int) -> None:
    """Raise `PlanLimit` when the month's AI tokens are used up."""
    allowance = token_allowance(user_id)
    if allowance.left == 0:
        raise PlanLimit(
            f"This month's {allowance.quota:,} AI tokens are used up. "
            f"New ones come on {allowance.period_end:%-d %B}, or with a higher plan.",
            data={"limit": "monthly_ai_tokens", "allowed": allowance.quota, "used": allowance.used},
        )


def change_plan(caller: Caller, *, user_id: int, plan_code: str) -> Subscription:
    """Put a person on a plan, from today. For operators; the months keep their day."""
    caller.require(Scope.ADMIN)
    plan = Plan.objects.filter(code=plan_code).first()
    if plan is None:
        codes = ", ".join(Plan.objects.values_list("code", flat=True))
        raise Invalid(f"There is no plan {plan_code}. The plans are {codes}.", data={"field": "plan"})
    subscription, is_new = Subscription.objects.get_or_create(
        user_id=user_id, defaults={"plan": plan, "started_on": timezone.now().date()}
    )
    before = "" if is_new else subscription.plan.code
    subscription.plan = plan
    subscription.ends_at = None
    subscription.save(update_fields=["plan", "ends_at"])
    audit.record("plan.change", caller=caller, target=f"user:{user_id}", detail={"from": before, "to": plan.code})
    return subscription


def _subscription(user_id: int, *, lock: bool = False) -> Subscription | None:
    subscriptions = Subscription.objects.select_related("plan")
    if lock:
        subscriptions = subscriptions.select_for_update(of=("self",))
    return subscriptions.filter(user_id=user_id).first()


def _joined_on(user_id: int) -> date:
    joined_at = User.objects.filter(pk=user_id).values_list("joined_at", flat=True).first()
    return (joined_at or timezone.now()).astimezone(UTC).date()
