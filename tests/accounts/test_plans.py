"""Plans, their limits, and the months and tokens of a subscription."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.apps import apps
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import Invalid, PlanLimit, ScopeMissing
from accounts.models import Plan, Subscription, TokenUsage, User
from accounts.plan_catalogue import fill_catalogue
from accounts.scopes import Scope
from accounts.services import plans
from tests.factories import SubscriptionFactory, UserFactory, caller_for
from tests.threads import at_once


@pytest.mark.django_db
def test_the_five_plans_are_there_in_their_order_with_the_limits_promised() -> None:
    shown = Plan.objects.values_list(
        "code", "max_active_gift_codes", "max_redemptions_per_code", "max_mcp_installs", "monthly_ai_tokens"
    )
    assert list(shown) == [
        ("FREE", 1, 50, 0, 10_000),
        ("STARTER", 5, 500, 0, 100_000),
        ("CREATOR", 20, 2_000, 5, 500_000),
        ("GROWTH", 50, 10_000, 25, 2_500_000),
        ("STUDIO", None, None, None, None),
    ]


@pytest.mark.django_db
def test_what_an_operator_edited_outlives_the_next_migration() -> None:
    Plan.objects.filter(code="FREE").update(max_bots=9)
    Plan.objects.filter(code="STARTER").delete()
    fill_catalogue(apps.get_app_config("accounts"), using="default")
    assert Plan.objects.get(code="FREE").max_bots == 9
    assert not Plan.objects.filter(code="STARTER").exists()


@pytest.mark.django_db(transaction=True)
def test_an_emptied_database_has_its_plans_again() -> None:
    """The flush between such tests sends what migrating sends."""
    assert Plan.objects.count() == 5


def test_months_begin_on_the_day_the_subscription_did() -> None:
    subscription = Subscription(started_on=date(2026, 1, 15))
    period = subscription.period(datetime(2026, 3, 14, 23, 59, tzinfo=UTC))
    assert (period.first, period.next_first) == (date(2026, 2, 15), date(2026, 3, 15))


def test_a_subscription_of_the_31st_renews_on_the_last_day_of_shorter_months() -> None:
    subscription = Subscription(started_on=date(2027, 10, 31))
    firsts = [subscription.period(datetime(2028, month, 10, tzinfo=UTC)).next_first for month in (2, 3, 4)]
    assert firsts == [date(2028, 2, 29), date(2028, 3, 31), date(2028, 4, 30)]


@given(
    started=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    days=st.integers(0, 3_000),
    seconds=st.integers(0, 86_399),
)
def test_every_moment_lies_in_its_month_and_months_leave_no_gap(started: date, days: int, seconds: int) -> None:
    subscription = Subscription(started_on=started)
    moment = datetime(started.year, started.month, started.day, tzinfo=UTC) + timedelta(days=days, seconds=seconds)
    period = subscription.period(moment)
    assert period.start <= moment < period.end
    assert subscription.period(period.end).start == period.end
    assert 28 <= (period.end - period.start).days <= 31


def test_tokens_used_last_month_do_not_count(person: User) -> None:
    today = timezone.now().date()
    SubscriptionFactory(user=person, started_on=today - timedelta(days=3))
    TokenUsage.objects.create(user=person, day=today - timedelta(days=4), product="bots", tokens=9_999)
    plans.record_tokens(person.pk, "bots", 40)
    plans.record_tokens(person.pk, "agents", 2)
    plans.record_tokens(person.pk, "bots", 1)
    allowance = plans.token_allowance(person.pk)
    assert (allowance.quota, allowance.used, allowance.left) == (10_000, 43, 9_957)


def test_used_up_tokens_are_refused_with_the_day_new_ones_come(person: User) -> None:
    SubscriptionFactory(user=person)
    plans.record_tokens(person.pk, "bots", 10_000)
    with pytest.raises(PlanLimit, match="10,000 AI tokens are used up"):
        plans.require_tokens(person.pk)


def test_a_plan_without_a_limit_is_never_used_up(person: User) -> None:
    SubscriptionFactory(user=person, code="STUDIO")
    plans.record_tokens(person.pk, "bots", 10**12)
    plans.require_tokens(person.pk)
    assert plans.token_allowance(person.pk).left is None


@pytest.mark.django_db(transaction=True)
def test_no_token_is_lost_when_many_are_charged_at_once() -> None:
    user = UserFactory()

    def charge() -> None:
        for _ in range(20):
            plans.record_tokens(user.pk, "bots", 3)

    at_once(*[charge] * 6)
    assert plans.token_allowance(user.pk).used == 360


def test_whoever_has_no_subscription_is_on_free(person: User) -> None:
    assert plans.plan_of(person.pk).code == "FREE"


def test_an_ended_subscription_leaves_the_person_on_free(person: User) -> None:
    SubscriptionFactory(user=person, code="GROWTH", ends_at=timezone.now() - timedelta(seconds=1))
    assert plans.plan_of(person.pk).code == "FREE"
    assert plans.token_allowance(person.pk).quota == 10_000


def test_a_subscription_that_will_end_holds_until_then_and_does_not_renew(person: User) -> None:
    subscription = SubscriptionFactory(user=person, code="GROWTH", ends_at=timezone.now() + timedelta(days=1))
    assert plans.plan_of(person.pk).code == "GROWTH"
    assert subscription.renews_at is None


def test_a_full_limit_names_the_plan_that_has_room(person: User) -> None:
    plans.require_room(person.pk, "max_active_gift_codes", used=0)
    with pytest.raises(PlanLimit, match="Free includes 1 active gift codes; 1 are used") as refusal:
        plans.require_room(person.pk, "max_active_gift_codes", used=1)
    assert "Starter has room for more." in refusal.value.message
    assert refusal.value.data == {"plan": "FREE", "limit": "max_active_gift_codes", "allowed": 1, "used": 1}


def test_a_plan_is_changed_by_operators_alone_and_into_one_that_exists(person: User) -> None:
    with pytest.raises(ScopeMissing):
        plans.change_plan(caller_for(person, Scope.WRITE), user_id=person.pk, plan_code="STUDIO")
    with pytest.raises(Invalid, match="The plans are FREE, STARTER"):
        plans.change_plan(caller_for(person), user_id=person.pk, plan_code="GOLD")
    plans.change_plan(caller_for(person), user_id=person.pk, plan_code="STUDIO")
    assert plans.plan_of(person.pk).code == "STUDIO"
