"""The time that counts against a run: not that in which it waits, and all that it had before it was taken over."""

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.workflows.engine.runs import line, lose, started
from workflows.engine import admission
from workflows.engine.run import drive
from workflows.engine.store import Held
from workflows.engine.watch import watch
from workflows.engine.work import Interrupt, Waiting, Work
from workflows.engine.worktime import WorkTime
from workflows.models import Checkpoint, Execution
from workflows.services import wishes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]


def test_time_in_which_a_run_waits_does_not_count_against_it(during: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, execution = started(*line(1))
    left: list[float] = []

    def over(held: Held, interrupt: Interrupt, worktime: WorkTime) -> nullcontext[None]:
        left.append(worktime.left)
        return nullcontext()

    monkeypatch.setattr(watch, "over", over)
    most = execution.workflow.settings["max_timeout_mins"] * 60

    def ask(work: Work) -> None:
        if len(left) == 1:
            raise Waiting("Which?", questions=[{"question": "Which?"}], seconds=60)

    during(ask)
    drive(execution.pk)
    long_ago = timezone.now() - timedelta(seconds=10 * most)
    Execution.objects.update(created_at=long_ago, started_at=long_ago, active_seconds=90)
    wishes.add_message(caller, execution_id=execution.pk, text="This one.")
    admission.admit()
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "completed"
    assert left == pytest.approx([most, most - 90], abs=30)


def test_what_a_run_did_before_it_was_taken_over_counts(during: Any) -> None:
    """Its worker is lost in the middle of a step; what it had spent then is in the last checkpoint."""
    _, execution = started(*line(1))
    left: list[float] = []

    def act(work: Work) -> None:
        left.append(work.seconds_left)
        if len(left) == 1:
            work.worktime.before = 59 * 60
            work.checkpoint(Checkpoint.Kind.MODEL, {"said": "hello"})
            lose(execution)

    during(act)
    drive(execution.pk)
    drive(execution.pk)
    most = execution.workflow.settings["max_timeout_mins"] * 60
    assert left == pytest.approx([most, most - 59 * 60], abs=30)
