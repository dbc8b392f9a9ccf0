"""How activities say that they are meant to be shown."""

import pytest

from tests.agents_hub.factories import member_of
from tests.factories import caller_for
from tests.workflows.factories import ExecutionFactory
from workflows.models import Activity, Execution
from workflows.shapes.executions import ActivityShape

pytestmark = pytest.mark.django_db


def shown(**fields: object) -> dict[str, object] | None:
    execution: Execution = ExecutionFactory()
    activity = Activity.objects.create(execution=execution, number=1, **fields)
    return ActivityShape.of(caller_for(member_of(execution.organization)), activity).display


@pytest.mark.parametrize(
    ("kind", "level"), [("status_changed", "primary"), ("reasoning", "secondary"), ("step_started", "system")]
)
def test_a_line_says_how_much_it_matters(kind: str, level: str) -> None:
    assert shown(type=kind, payload={}) == {"presentationLevel": level}


def test_the_lines_of_one_action_are_of_one_group() -> None:
    for kind in ("action_started", "action_completed", "action_failed"):
        assert shown(type=kind, payload={"actionId": "a-7"}) == {"presentationLevel": "secondary", "groupId": "a-7"}


def test_what_a_line_says_of_itself_comes_first() -> None:
    said = {"presentationLevel": "system", "summaryText": "Looked around."}
    assert shown(type="generic", payload={"message": "Hello"}, display=said) == said
