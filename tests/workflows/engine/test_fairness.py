"""Workers are given out fairly: whose turn it is is decided when one is free."""

import pytest

from tests.workflows.engine.runs import placed, workflow
from tests.workflows.factories import ExecutionFactory
from workflows.engine import fairness, store
from workflows.engine.states import Status
from workflows.models import Execution

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]


def claimed(count: int) -> list[Execution]:
    found = [fairness.claim_next() for _ in range(count)]
    return [Execution.objects.get(pk=held.id) for held in found if held is not None]


def test_a_free_worker_goes_to_whoever_has_the_fewest() -> None:
    busy, quiet = workflow(), workflow()
    many, [single] = placed(busy, 3), placed(quiet)
    assert claimed(5) == [many[0], single, many[1], many[2]]


def test_among_equals_a_worker_goes_to_whoever_got_one_least_recently() -> None:
    """Though with one worker nobody is at work when it is given out, and the busy one's others have waited longer."""
    busy, quiet = workflow(), workflow()
    many = placed(busy, 3)
    held = fairness.claim_next()
    [single] = placed(quiet)
    assert held is not None
    store.commit(held, {"status": Status.CANCELLED}, [])
    assert claimed(3) == [single, many[1], many[2]]


def test_one_without_a_place_or_with_a_worker_or_paused_is_not_taken() -> None:
    one, of = workflow(), workflow()
    ExecutionFactory(workflow=one)
    ExecutionFactory(workflow=of, status=Status.PAUSED)
    [there] = placed(of)
    assert claimed(2) == [there]
    assert fairness.claim_next() is None
