"""Sending events: signed as the scheme says, tried until they are taken or given up, and never lost in between."""

import base64
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.caller import Caller
from accounts.models import Role
from agents_hub.models import Agent
from security.models import AuditEntry
from tests.agents_hub.factories import AgentFactory
from tests.factories import MembershipFactory, caller_for
from tests.fakes.webhook_receiver import Receiver, Reply, webhook_receiver
from tests.threads import meanwhile
from tests.workflows.contract import faults
from tests.workflows.webhooks.conftest import add, ended, time_passes
from workflows import tasks
from workflows.models import WebhookDelivery, WebhookEndpoint
from workflows.services import webhooks
from workflows.services.webhooks import WithSecret
from workflows.webhooks import claims, pauses, signing
from workflows.webhooks.sending import send_due


def latest() -> WebhookDelivery:
    return WebhookDelivery.objects.latest("pk")


def test_an_event_arrives_signed_and_holds_the_execution(agent: Agent, hook: WithSecret, receiver: Receiver) -> None:
    execution = ended(agent, inputs={"order": "A-117"})
    send_due()
    [request] = receiver.seen
    event = request.verified(hook.secret)
    assert set(event) == {"type", "timestamp", "data"}
    assert event["type"] == "execution.completed"
    assert datetime.fromisoformat(event["timestamp"]) == execution.terminal_at
    assert (event["data"]["id"], event["data"]["inputs"]) == (str(execution.pk), {"order": "A-117"})
    assert request.headers["content-type"] == "application/json"
    delivery = latest()
    assert (delivery.state, delivery.response_status, delivery.response_excerpt) == ("delivered", 200, "taken")
    assert (delivery.due_at, delivery.lease_until, delivery.attempts) == (None, None, 1)


def test_a_body_that_was_changed_does_not_verify(agent: Agent, hook: WithSecret, receiver: Receiver) -> None:
    ended(agent)
    send_due()
    [request] = receiver.seen
    with pytest.raises(WebhookVerificationError):
        Webhook(hook.secret).verify(request.body.replace(b"completed", b"cancelled"), dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        request.verified(signing.new_secret())


def test_a_signature_is_that_of_the_published_example() -> None:
    """The example of the scheme's reference implementations."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signed = signing.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_of_the_schemes_form_and_size() -> None:
    secret = signing.new_secret()
    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64


def test_after_a_rotation_both_secrets_verify_and_later_only_the_new_one(
    admin: Caller, agent: Agent, hook: WithSecret, receiver: Receiver
) -> None:
    rotated = webhooks.rotate_secret(admin, endpoint_id=hook.endpoint.pk)
    ended(agent)
    send_due()
    for secret in (hook.secret, rotated.secret):
        receiver.seen[0].verified(secret)
    WebhookEndpoint.objects.update(old_secret_until=timezone.now() - timedelta(seconds=1))
    ended(agent)
    send_due()
    receiver.seen[1].verified(rotated.secret)
    with pytest.raises(WebhookVerificationError):
        receiver.seen[1].verified(hook.secret)


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


def test_an_address_that_became_private_is_refused_when_it_is_sent_to(
    agent: Agent, hook: WithSecret, receiver: Receiver, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW_LOCAL = False
    ended(agent)
    send_due()
    assert not receiver.seen
    delivery = latest()
    assert (delivery.state, delivery.attempts) == ("waiting", 1)
    assert "127.0.0.1" not in delivery.fault


def test_a_redirect_is_not_followed(agent: Agent, hook: WithSecret, receiver: Receiver) -> None:
    with webhook_receiver() as other:
        receiver.replies = [Reply(307, headers={"Location": other.url})]
        ended(agent)
        send_due()
        assert not other.seen
    assert "Redirects are not followed" in latest().fault


def test_an_answer_without_end_is_cut_and_counts_by_its_status(
    agent: Agent, hook: WithSecret, receiver: Receiver
) -> None:
    receiver.replies = [Reply(200, b"x" * 3_000_000)]
    ended(agent)
    send_due()
    assert (latest().state, len(latest().response_excerpt)) == ("delivered", 500)


def test_a_secret_in_an_answer_is_not_kept(agent: Agent, hook: WithSecret, receiver: Receiver) -> None:
    receiver.replies = [Reply(500, b'{"password": "swordfish"}\x00')]
    ended(agent)
    send_due()
    assert "swordfish" not in latest().response_excerpt
    assert "[REDACTED]" in latest().response_excerpt


def test_links_into_an_execution_are_not_sent(agent: Agent, hook: WithSecret, receiver: Receiver) -> None:
    ended(agent)
    send_due()
    sent = json.loads(receiver.seen[0].body)["data"]
    assert not any(sent[name] for name in ("recordingUrl", "liveViewUrl", "browserRecordingUrl", "browserLiveViewUrl"))


@pytest.mark.django_db(transaction=True)
def test_a_slow_receiver_does_not_hold_up_others(admin: Caller, agent: Agent, receiver: Receiver) -> None:
    """Its share is under way and unanswered while all events of another tenant arrive."""
    slow = add(admin, agent, receiver.url)
    receiver.usual = Reply(held=True)
    for _ in range(3 * claims.PER_ENDPOINT):
        ended(agent)
    other = AgentFactory()
    person = caller_for(MembershipFactory(organization=other.organization, role=Role.ADMIN).user)
    with webhook_receiver() as quick:
        add(person, other, quick.url)
        with meanwhile(send_due) as outcomes:
            receiver.wait_for(claims.PER_ENDPOINT)
            for _ in range(3):
                ended(other)
            send_due()
            quick.wait_for(3)
            assert len(receiver.seen) == claims.PER_ENDPOINT
            receiver.go_on.set()
        assert outcomes == [False]
    assert WebhookDelivery.objects.filter(endpoint=slow.endpoint, state="delivered").count() == claims.PER_ENDPOINT


def test_one_organization_has_its_share_however_many_endpoints_it_has(
    admin: Caller, agent: Agent, receiver: Receiver
) -> None:
    for _ in range(6):
        add(admin, agent, receiver.url)
    for _ in range(4):
        ended(agent)
    other = AgentFactory()
    person = caller_for(MembershipFactory(organization=other.organization, role=Role.ADMIN).user)
    add(person, other, receiver.url)
    ended(other)
    claimed = [delivery.endpoint.organization_id for delivery in claims.claim()]
    assert claimed.count(agent.organization_id) == claims.PER_ORGANIZATION
    assert claimed.count(other.organization_id) == 1
    assert claims.claim() == []


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


def test_an_event_holds_to_the_contract(agent: Agent, hook: WithSecret, receiver: Receiver) -> None:
    ended(agent, metadata={"ticket": "8812"}, runner=hook.endpoint.created_by)
    send_due()
    assert faults("Execution", json.loads(receiver.seen[0].body)["data"]) == []


def test_deliveries_go_after_their_days_and_those_that_wait_stay(
    agent: Agent, hook: WithSecret, settings: Settings
) -> None:
    ended(agent)
    ended(agent)
    waiting, over = WebhookDelivery.objects.order_by("pk")
    WebhookDelivery.objects.filter(pk=over.pk).update(state="delivered", due_at=None)
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    settings.WEBHOOK_DELIVERIES_RETENTION_DAYS = 0
    tasks.forget_webhook_deliveries()
    assert WebhookDelivery.objects.count() == 2
    settings.WEBHOOK_DELIVERIES_RETENTION_DAYS = 30
    tasks.forget_webhook_deliveries()
    assert [delivery.pk for delivery in WebhookDelivery.objects.all()] == [waiting.pk]
