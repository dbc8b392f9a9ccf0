"""Scheduled tasks that are changed, and runs that are gone on with, while somebody else does something to them."""

from functools import partial

import pytest

from accounts.caller import Caller
from agents_hub.models import ScheduledTask, TaskRun, Turn, TurnStatus
from agents_hub.services import scheduled_tasks as tasks
from agents_hub.services import turns
from tests.agents_hub.chat.scheduled import run_once, stored
from tests.threads import at_once, fared

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_two_who_change_different_fields_at_once_both_do(task: ScheduledTask, maker: Caller) -> None:
    wanted = {"name": "Moorings", "prompt": "Which are free?", "time_zone": "UTC", "overlap": "beside"}

    acts = [partial(tasks.change_task, maker, task.pk, changes={name: value}) for name, value in wanted.items()]
    assert fared(at_once(*acts)) == ["ok"] * len(wanted)
    assert {name: getattr(stored(task), name) for name in wanted} == wanted


def test_a_run_that_is_gone_on_with_meanwhile_is_looked_at_again(task: ScheduledTask, maker: Caller) -> None:
    turn = run_once(task).turn
    assert turn
    turn.status, turn.ended_at, turn.error = TurnStatus.ERROR, turn.created_at, "The model failed."
    turn.save()
    over = TaskRun.objects.select_related("turn").get()
    turns.try_again(maker, turn_id=turn.pk)
    assert not tasks.settle(over)
    run = TaskRun.objects.get()
    assert (run.is_settled, run.problem, stored(task).problem) == (False, "", "")
    Turn.objects.update(status=TurnStatus.COMPLETED, ended_at=turn.ended_at)
    assert tasks.settle_runs() == 1
