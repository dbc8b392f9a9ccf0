"""Labels as clients write them, and as two people write them at once."""

import json
from contextlib import ExitStack

import pytest
from django.db import transaction

from agents_hub.shapes.wire import SERVER
from mcp_gateway.registry import registry
from mcp_gateway.rest.routes import REST_ONLY
from tests.agents_hub.factories import member_of
from tests.factories import caller_for
from tests.threads import meanwhile, until_one_waits_for_a_lock
from tests.workflows.factories import ExecutionFactory
from workflows.models import Label
from workflows.services import marks
from workflows.services.executions import lock_execution


def test_no_pattern_of_an_argument_has_what_json_schema_does_not_know() -> None:
    """ECMA-262 has no flags within a pattern."""
    tools = [*registry.tools(SERVER), *registry.tools(REST_ONLY)]
    assert not [tool.name for tool in tools if '"pattern": "(?' in json.dumps(tool.input_schema)]


@pytest.mark.django_db(transaction=True)
def test_whoever_sets_labels_waits_for_whoever_does_the_same() -> None:
    execution = ExecutionFactory()
    caller = caller_for(member_of(execution.organization))
    label = Label.objects.create(organization=execution.organization, name="Good")
    with ExitStack() as beside, transaction.atomic():
        lock_execution(caller, execution.pk)
        setting = meanwhile(lambda: marks.set_labels(caller, execution_id=execution.pk, label_ids=[label.pk]))
        outcomes = beside.enter_context(setting)
        until_one_waits_for_a_lock()
    assert outcomes == [[label]]
