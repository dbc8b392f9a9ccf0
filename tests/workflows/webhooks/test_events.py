"""Which ends of executions make a delivery: exactly one for each endpoint that fits, in the end's own transaction."""

from contextlib import ExitStack

import pytest
from django.db import connection, transaction

from accounts.caller import Caller
from accounts.errors import Invalid
from agents_hub.models import Agent
from tests.agents_hub.factories import AgentFactory
from tests.fakes.webhook_receiver import Receiver
from tests.threads import fared, meanwhile, until_one_waits_for_a_lock
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import node
from tests.workflows.tasks import on, started
from tests.workflows.webhooks.conftest import add, ended
from workflows.engine.states import Status
from workflows.models import Execution, WebhookDelivery, WebhookEndpoint
from workflows.services import webhooks, wishes
from workflows.services.webhooks import WithSecret


def test_a_run_of_the_engine_makes_one_delivery_when_it_ends(agent: Agent, hook: WithSecret, unwatched: None) -> None:
    _, execution = started(node("end", "output"), agent=agent)
    assert not WebhookDelivery.objects.exists()
    on(execution)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.execution_id, delivery.endpoint_id) == (execution.pk, hook.endpoint.pk)
    assert (delivery.type, delivery.occurred_at) == ("execution.completed", execution.terminal_at)


def test_an_execution_that_a_person_cancels_is_told_of(admin: Caller, agent: Agent, hook: WithSecret) -> None:
    execution = ExecutionFactory(workflow=WorkflowFactory(agent=agent))
    wishes.ask_status(admin, execution_id=execution.pk, status=Status.CANCELLED)
    assert WebhookDelivery.objects.get().type == "execution.cancelled"


def test_what_is_saved_again_after_its_end_is_told_of_once(agent: Agent, hook: WithSecret) -> None:
    execution = ended(agent)
    execution.save()
    Execution.objects.filter(pk=execution.pk).update(status="completed")
    assert WebhookDelivery.objects.count() == 1


def test_an_end_that_is_rolled_back_leaves_no_delivery(agent: Agent, hook: WithSecret) -> None:
    with transaction.atomic():
        ended(agent)
        assert WebhookDelivery.objects.exists()
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()


def test_only_the_ends_that_were_asked_for_are_told_of(admin: Caller, agent: Agent, receiver: Receiver) -> None:
    add(admin, agent, receiver.url, statuses=["failed"])
    for status in ("completed", "failed", "cancelled"):
        ended(agent, status)
    assert [delivery.event for delivery in WebhookDelivery.objects.all()] == ["failed"]


def test_only_the_agents_that_were_chosen_are_told_of(admin: Caller, agent: Agent, receiver: Receiver) -> None:
    other = AgentFactory(organization=agent.organization)
    add(admin, agent, receiver.url, every_agent=False, agent_ids=[agent.pk])
    ended(other)
    execution = ended(agent)
    assert WebhookDelivery.objects.get().execution_id == execution.pk


def test_an_endpoint_whose_agents_were_all_deleted_hears_of_no_other(
    admin: Caller, agent: Agent, receiver: Receiver
) -> None:
    other = AgentFactory(organization=agent.organization)
    add(admin, agent, receiver.url, every_agent=False, agent_ids=[agent.pk])
    agent.delete()
    ended(other)
    assert not WebhookDelivery.objects.exists()


def test_what_belongs_to_another_organization_is_not_told_of(hook: WithSecret) -> None:
    ended(AgentFactory())
    assert not WebhookDelivery.objects.exists()


def test_a_disabled_endpoint_hears_of_nothing(agent: Agent, hook: WithSecret) -> None:
    WebhookEndpoint.objects.update(enabled=False)
    ended(agent)
    assert not WebhookDelivery.objects.exists()


def test_each_endpoint_that_fits_has_a_delivery_of_its_own(admin: Caller, agent: Agent, hook: WithSecret) -> None:
    second = add(admin, agent, hook.endpoint.url)
    ended(agent)
    told = set(WebhookDelivery.objects.values_list("endpoint_id", flat=True))
    assert told == {hook.endpoint.pk, second.endpoint.pk}


def test_an_agent_of_another_organization_cannot_be_chosen(admin: Caller, agent: Agent, receiver: Receiver) -> None:
    with pytest.raises(Invalid, match="no longer exists"):
        add(admin, agent, receiver.url, every_agent=False, agent_ids=[AgentFactory().pk])


def test_a_step_does_not_ask_for_endpoints(agent: Agent, hook: WithSecret) -> None:
    """The trigger is at work where the status is set, and the statement of a step does not set it."""
    execution = ExecutionFactory(workflow=WorkflowFactory(agent=agent), status="running")
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) UPDATE workflows_execution SET step_count = 3 WHERE id = %s",
            [execution.pk],
        )
        assert "execution_end_delivered" not in "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) UPDATE workflows_execution SET status = 'failed', "
            "terminal_at = now() WHERE id = %s",
            [execution.pk],
        )
        assert "execution_end_delivered" in "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_an_end_at_the_moment_its_endpoint_is_deleted_waits_and_is_told_to_nobody(
    admin: Caller, agent: Agent, hook: WithSecret
) -> None:
    execution = ExecutionFactory(workflow=WorkflowFactory(agent=agent))

    def end() -> None:
        wishes.ask_status(admin, execution_id=execution.pk, status=Status.CANCELLED)

    with ExitStack() as beside, transaction.atomic():
        webhooks.delete_endpoint(admin, endpoint_id=hook.endpoint.pk)
        outcomes = beside.enter_context(meanwhile(end))
        until_one_waits_for_a_lock()
    assert fared(outcomes) == ["ok"]
    execution.refresh_from_db()
    assert execution.status == "cancelled"
    assert not WebhookDelivery.objects.exists()
