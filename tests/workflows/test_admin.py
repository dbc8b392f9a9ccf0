"""The admin of workflows: every row can be found and looked at, in a number of queries that does not grow."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.factories import UserFactory
from tests.workflows.factories import ExecutionFactory, ExecutionFileFactory, ScheduleFactory, WebhookEndpointFactory
from workflows.models import (
    Activity,
    Checkpoint,
    Comment,
    Execution,
    Label,
    LastServed,
    Publication,
    Schedule,
    ScheduleRun,
    Step,
    UserMessage,
    WebhookDelivery,
    WebhookEndpoint,
)

pytestmark = pytest.mark.django_db
MODELS = sorted(apps.get_app_config("workflows").get_models(), key=lambda model: model.__name__)


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def rows() -> dict[type[Model], Any]:
    """One of each."""
    execution: Execution = ExecutionFactory()
    now = execution.created_at
    person = UserFactory()
    schedule: Schedule = ScheduleFactory(agent=execution.agent)
    endpoint: WebhookEndpoint = WebhookEndpointFactory(organization=execution.organization)
    made: list[Any] = [
        schedule,
        ScheduleRun.objects.create(schedule=schedule, execution=execution, due_at=now),
        execution,
        execution.workflow,
        ExecutionFileFactory(execution=execution),
        Publication.objects.create(workflow=execution.workflow, agent=execution.agent),
        Step.objects.create(execution=execution, number=1, node_id="n", node_type="api", fence=1, started_at=now),
        Checkpoint.objects.create(execution=execution, step=1, number=1, kind="said", body={}, fence=1),
        Activity.objects.create(execution=execution, number=1, type="generic", payload={"message": "Hello"}),
        UserMessage.objects.create(execution=execution, user=person, text="Hello"),
        LastServed.objects.create(organization=execution.organization, at=now),
        Label.objects.create(organization=execution.organization, name="Checked"),
        Comment.objects.create(execution=execution, user=person, content="Hello"),
        endpoint,
        WebhookDelivery.objects.create(endpoint=endpoint, execution=execution, event="completed"),
    ]
    return {type(row): row for row in made}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_is_listed_searched_and_looked_at(
    operator: Client, model: type[Model], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row = rows()[model]
    where = reverse(f"admin:workflows_{model._meta.model_name}_changelist")
    for query in ("", "harbour", "123", "0198c0de-7a11-7000-8000-000000000000"):
        assert operator.get(where, {"q": query}).status_code == 200
    assert admin.site._registry[model].search_fields
    one = operator.get(reverse(f"admin:workflows_{model._meta.model_name}_change", args=[row.pk]))
    assert one.status_code == 200
    with CaptureQueriesContext(connection) as for_one:
        operator.get(where)
    for _ in range(3):
        rows()
    with django_assert_num_queries(len(for_one)):
        operator.get(where)
