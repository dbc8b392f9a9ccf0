"""Runs whose worker was lost: taken over, given up in the end, and safe from who was overtaken."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.workflows.engine.runs import line, lose, started
from workflows.engine import admission, store
from workflows.engine.run import drive
from workflows.engine.store import Fenced
from workflows.engine.work import Work
from workflows.models import Checkpoint, Execution, Step

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]


def test_a_worker_that_was_overtaken_stops_and_leaves_no_trace(during: Any) -> None:
    _, execution = started(*line(3))

    def overtake(work: Work) -> None:
        if work.step == 2 and work.held.fence == 1:
            Execution.objects.filter(pk=execution.pk).update(lease_until=timezone.now())
            assert store.claim(execution.pk) is not None

    during(overtake)
    drive(execution.pk)
    assert list(Step.objects.values_list("number", "fence")) == [(1, 1)]
    with pytest.raises(Fenced):
        store.renew(store.Held(execution.pk, 1, 1))


def test_a_step_taken_over_finds_its_checkpoints_and_they_go_with_it(during: Any) -> None:
    _, execution = started(*line(1))
    found: list[int] = []

    def act(work: Work) -> None:
        found.append(len(work.checkpoints))
        if len(found) == 1:
            work.checkpoint(Checkpoint.Kind.MODEL, {"said": "hello"})
            lose(execution)

    during(act)
    drive(execution.pk)
    drive(execution.pk)
    assert found == [0, 1]
    assert not Checkpoint.objects.exists()
    execution.refresh_from_db()
    assert execution.status == "completed"


def test_a_step_that_loses_its_worker_too_often_is_given_up(during: Any, settings: Any) -> None:
    settings.WORKFLOW_MOST_ATTEMPTS = 2
    _, execution = started(*line(1))
    during(lambda work: lose(execution))
    for _ in range(3):
        assert drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "failed"
    assert "2 times in a row" in execution.failure


def test_what_lost_its_worker_is_found(during: Any) -> None:
    _, execution = started(*line(1))
    assert admission.lost() == []
    held = store.claim(execution.pk)
    assert held is not None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE workflows_execution SET lease_until = clock_timestamp() - interval '1 second'")
    assert admission.lost() == [execution.pk]
