"""Sweeps delete all that is due, however many batches that takes, and nothing that somebody holds."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from agents_hub.models import Conversation
from agents_hub.services import sweeping
from agents_hub.services.conversations import sweep_empty
from tests.agents_hub.factories import AgentFactory, member_of
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def empty() -> Conversation:
    """One that was begun long ago, and in which nothing was said."""
    agent = AgentFactory()
    made: Conversation = Conversation.objects.create(
        agent=agent,
        organization=agent.organization,
        owner=member_of(agent.organization),
        created_at=timezone.now() - timedelta(days=3),
    )
    return made


@pytest.mark.parametrize("count", [0, 2, 5])
def test_all_that_is_due_goes_in_batches(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    for _ in range(count):
        empty()
    assert sweep_empty() == count
    assert not Conversation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_somebody_holds_is_left_for_the_next_time() -> None:
    held = empty()
    empty()
    with transaction.atomic():
        Conversation.objects.select_for_update().get(pk=held.pk)
        assert at_once(sweep_empty) == [1]
    assert Conversation.objects.get() == held
