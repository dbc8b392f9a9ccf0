"""What people want of a run that goes on: it pauses, is cancelled, waits to be confirmed, and hears messages."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.errors import Conflict
from tests.workflows.engine.runs import line, started
from tests.workflows.graphs import node, way
from workflows.engine import admission
from workflows.engine.run import drive
from workflows.engine.states import Status
from workflows.engine.work import Work
from workflows.models import Step
from workflows.services import wishes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]


def in_step(number: int, act: Callable[[], Any]) -> Callable[[Work], Any]:
    """Acts in the step of that number alone."""
    return lambda work: act() if work.step == number else None


@pytest.mark.parametrize(("wish", "status"), [(Status.PAUSED, "paused"), (Status.CANCELLED, "cancelled")])
def test_a_wish_takes_effect_at_the_next_step(during: Any, wish: Status, status: str) -> None:
    caller, execution = started(*line(3))
    during(in_step(2, lambda: wishes.ask_status(caller, execution_id=execution.pk, status=wish)))
    drive(execution.pk)
    execution.refresh_from_db()
    assert (execution.status, execution.step_count) == (status, 2)


def test_a_paused_run_goes_on_where_it_stood(during: Any) -> None:
    caller, execution = started(*line(3))
    during(
        lambda work: (
            work.step == 2 and wishes.ask_status(caller, execution_id=execution.pk, status=Status.PAUSED) and None
        )
    )
    drive(execution.pk)
    wishes.ask_status(caller, execution_id=execution.pk, status=Status.RUNNING)
    admission.admit()
    assert drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "completed"
    assert list(Step.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4]


def test_asking_one_that_waits_for_its_place_to_run_changes_nothing(during: Any) -> None:
    caller, execution = started(*line(1))
    assert "waiting for a free slot" in wishes.ask_status(caller, execution_id=execution.pk, status=Status.RUNNING)
    execution.refresh_from_db()
    assert (execution.status, execution.activity_count) == ("starting", 0)
    assert drive(execution.pk)


def test_a_confirmation_holds_the_run_until_a_person_gives_it(during: Any) -> None:
    caller, execution = started(
        node("a", "url"), node("end", "output"), way("a", "end", "outcome_success", require_confirmation=True)
    )
    drive(execution.pk)
    execution.refresh_from_db()
    assert (execution.status, execution.lease_until) == ("awaiting_confirmation", None)
    wishes.ask_status(caller, execution_id=execution.pk, status=Status.RUNNING)
    admission.admit()
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "completed"


def test_a_message_is_taken_up_by_the_next_step_and_refused_after_the_end(during: Any) -> None:
    caller, execution = started(*line(1))
    wishes.add_message(caller, execution_id=execution.pk, text="Be quick.")
    heard: list[str] = []

    def hear(work: Work) -> None:
        messages = work.unseen_messages()
        heard.extend(message.text for message in messages)
        work.take_up(messages)
        assert work.unseen_messages() == []

    during(hear)
    drive(execution.pk)
    assert heard == ["Be quick."]
    with pytest.raises(Conflict, match="completed"):
        wishes.add_message(caller, execution_id=execution.pk, text="Too late.")
