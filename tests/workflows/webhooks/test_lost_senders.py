"""A process that sends is killed in the middle: the event arrives once more, under the same id, and is settled once."""

import pytest

from accounts.caller import Caller
from agents_hub.models import Agent
from tests.bots.processes import Process
from tests.fakes.webhook_receiver import Receiver, Reply
from tests.workflows.crowd import wait_until
from tests.workflows.webhooks.conftest import add, ended
from workflows.models import WebhookDelivery
from workflows.webhooks.sending import send_due

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

SENDER = """
from workflows.webhooks.sending import send_due
settings.WEBHOOK_LEASE_SECONDS = 2
settings.OUTBOUND_ALLOW_LOCAL = True
send_due()
"""


def test_what_a_killed_sender_had_begun_arrives_all_the_same(admin: Caller, agent: Agent, receiver: Receiver) -> None:
    hook = add(admin, agent, receiver.url)
    ended(agent)
    receiver.replies = [Reply(held=True)]
    with Process(SENDER) as sender:
        sender.wait_until_ready()
        sender.let_go()
        receiver.wait_for(1)
    assert WebhookDelivery.objects.get().state == "waiting"

    def is_delivered() -> bool:
        send_due()
        return WebhookDelivery.objects.get().state == "delivered"

    wait_until(is_delivered)
    first, second = receiver.seen
    assert first.message_id == second.message_id
    assert second.verified(hook.secret)
    assert WebhookDelivery.objects.get().attempts == 2
