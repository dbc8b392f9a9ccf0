"""Sending events: signed as the scheme says, to no address it should not, and one receiver holding up no other."""

import base64
import json
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.caller import Caller
from accounts.models import Role
from agents_hub.models import Agent
from tests.agents_hub.factories import AgentFactory
from tests.factories import MembershipFactory, caller_for
from tests.fakes.webhook_receiver import Receiver, Reply, webhook_receiver
from tests.threads import meanwhile
from tests.workflows.contract import faults
from tests.workflows.webhooks.conftest import add, ended, latest
from workflows import tasks
from workflows.models import WebhookDelivery, WebhookEndpoint
from workflows.services import webhooks
from workflows.services.webhooks import WithSecret
from workflows.webhooks import claims, signing
from workflows.webhooks.sending import send_due


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
