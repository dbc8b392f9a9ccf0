"""What is not taken at once: tried again, given up, and an endpoint that never takes anything switched off."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from accounts.caller import Caller
from accounts.models import Role
from agents_hub.models import Agent
from security.models import AuditEntry
from tests.factories import MembershipFactory
from tests.fakes.webhook_receiver import Receiver, Reply, webhook_receiver
from tests.workflows.webhooks.conftest import add, ended, latest, time_passes
from workflows import tasks
from workflows.models import WebhookDelivery, WebhookEndpoint
from workflows.services.webhooks import WithSecret
from workflows.webhooks import claims, pauses
from workflows.webhooks.sending import send_due


@pytest.mark.parametrize("reply", [Reply(500), Reply(429), Reply(404), Reply(302), Reply(cut=True)])
def test_what_is_not_taken_is_tried_again_under_the_same_id(
    agent: Agent, hook: WithSecret, receiver: Receiver, reply: Reply
) -> None:
    ended(agent)
    receiver.replies = [reply]
    send_due()
    delivery = latest()
    assert delivery.state == "waiting"
    assert delivery.fault
    assert delivery.due_at is not None
    assert timezone.now() < delivery.due_at <= timezone.now() + timedelta(seconds=13)
    send_due()
    assert len(receiver.seen) == 1, "it was not yet due"
    time_passes(seconds=13)
    send_due()
    first, second = receiver.seen
    assert first.message_id == second.message_id == delivery.webhook_id
    assert second.verified(hook.secret)
    assert (latest().state, latest().attempts, latest().fault) == ("delivered", 2, "")


def test_nobody_who_listens_is_tried_again(admin: Caller, agent: Agent, receiver: Receiver) -> None:
    with webhook_receiver() as gone:
        add(admin, agent, gone.url)
    ended(agent)
    send_due()
    assert (latest().state, latest().response_status) == ("waiting", None)
    assert "cannot be reached" in latest().fault


def test_retry_after_is_heeded(agent: Agent, hook: WithSecret, receiver: Receiver) -> None:
    ended(agent)
    receiver.replies = [Reply(429, headers={"Retry-After": "1800"})]
    send_due()
    due = latest().due_at
    assert due is not None
    assert due >= timezone.now() + timedelta(seconds=1790)


def test_retry_after_may_be_a_date_and_nonsense_is_passed_over() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=90)
    assert 80 < (pauses.seconds_of(format_datetime(soon, usegmt=True)) or 0) <= 90
    assert pauses.seconds_of("soon") is None
    assert pauses.pause(1, 10**9) == pauses.LONGEST_RETRY_AFTER


def test_eight_attempts_are_spread_over_about_a_day_and_then_it_is_given_up(
    agent: Agent, hook: WithSecret, receiver: Receiver
) -> None:
    receiver.usual = Reply(503, b"maintenance")
    ended(agent)
    total = timedelta()
    for attempt in range(1, 9):
        send_due()
        assert latest().attempts == attempt
        if (due := latest().due_at) is not None:
            total += due - timezone.now()
            time_passes(days=1)
    assert timedelta(hours=20) < total < timedelta(hours=26)
    delivery = latest()
    assert (delivery.state, delivery.due_at, delivery.response_status) == ("given_up", None, 503)
    assert delivery.fault == "The receiver answered 503 Service Unavailable."
    assert delivery.response_excerpt == "maintenance"
    send_due()
    assert len(receiver.seen) == 8
    assert WebhookEndpoint.objects.get().enabled, "it has failed for no more than a day"


def test_an_endpoint_that_takes_nothing_for_days_is_switched_off_and_its_admins_told_once(
    admin: Caller, agent: Agent, hook: WithSecret, receiver: Receiver
) -> None:
    MembershipFactory(organization=agent.organization)
    second = MembershipFactory(organization=agent.organization, role=Role.ADMIN).user
    receiver.usual = Reply(500)
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=6))
    ended(agent)
    for _ in range(8):
        assert WebhookEndpoint.objects.get().enabled
        send_due()
        time_passes(days=1)
    endpoint = WebhookEndpoint.objects.get()
    assert not endpoint.enabled
    assert "Nothing was taken for 5 days" in endpoint.fault
    assert AuditEntry.objects.filter(action="webhook.disable", target=f"webhook:{endpoint.pk}").count() == 1
    tasks.tell_of_webhooks()
    tasks.tell_of_webhooks()
    told = sorted(message.to[0] for message in mail.outbox)
    assert len(told) == 2
    assert second.email in told
    assert f"/dashboard/webhooks/{endpoint.pk}/" in mail.outbox[0].body


def test_a_success_in_between_begins_the_days_anew(agent: Agent, hook: WithSecret, receiver: Receiver) -> None:
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=6))
    ended(agent)
    send_due()
    assert WebhookEndpoint.objects.get().failing_since is None


def test_an_endpoint_that_is_gone_is_switched_off_at_once(agent: Agent, hook: WithSecret, receiver: Receiver) -> None:
    receiver.replies = [Reply(410)]
    ended(agent)
    send_due()
    endpoint = WebhookEndpoint.objects.get()
    assert not endpoint.enabled
    assert "410 Gone" in endpoint.fault
    assert latest().state == "given_up"


def test_what_waits_for_a_disabled_endpoint_goes_out_once_it_is_enabled(
    agent: Agent, hook: WithSecret, receiver: Receiver
) -> None:
    ended(agent)
    WebhookEndpoint.objects.update(enabled=False)
    send_due()
    assert not receiver.seen
    WebhookEndpoint.objects.update(enabled=True)
    send_due()
    assert len(receiver.seen) == 1


def test_whoever_was_overtaken_writes_nothing(agent: Agent, hook: WithSecret, settings: Settings) -> None:
    ended(agent)
    [stalled] = claims.claim()
    time_passes(seconds=settings.WEBHOOK_LEASE_SECONDS + 1)
    WebhookDelivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    [taken_over] = claims.claim()
    for answer in (claims.Answer(200), claims.Answer(fault="too late")):
        assert claims.settle(stalled, answer) is False
    assert (latest().state, latest().fault) == ("waiting", "")
    assert latest().lease_until is not None, "the other is at it still"
    assert claims.settle(taken_over, claims.Answer(200)) is True
    assert latest().state == "delivered"
