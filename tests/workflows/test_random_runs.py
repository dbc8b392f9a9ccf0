"""Whatever the graph, whatever people ask and workers suffer: a run keeps to the table and numbers without gaps."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.errors import Conflict
from tests.workflows.graphs import Parts, graph, node, sound_graphs, way
from tests.workflows.random_runs import ROUNDS, assert_well_kept, comes_to_an_end, started
from workflows.engine import activities, admission, moves, store
from workflows.engine.moves import NodeResult
from workflows.engine.run import drive
from workflows.engine.states import Status
from workflows.engine.store import Fenced
from workflows.engine.work import NodeFailed, Waiting, Work
from workflows.models import Checkpoint, Execution
from workflows.nodes import kinds
from workflows.services import waiting, wishes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]

few = hypothesis_settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture
def nodes_do(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Work], NodeResult]], None]:
    """Has nodes of every type but `output` carried out by the test."""

    def use(carry_out: Callable[[Work], NodeResult]) -> None:
        for kind in ("iris", "api", "url", "playwright_script"):
            monkeypatch.setitem(kinds._kinds, kind, carry_out)

    return use


@st.composite
def graphs_with_confirmations(draw: st.DrawFn) -> Parts:
    drawn = draw(sound_graphs())
    ways = [
        {**one, "require_confirmation": draw(st.sampled_from([False, False, True]))} for one in drawn["transitions"]
    ]
    return {**drawn, "transitions": ways}


@few
@given(drawn=graphs_with_confirmations(), data=st.data())
def test_any_graph_without_faults_comes_to_an_end_within_its_limits(nodes_do: Any, drawn: Parts, data: Any) -> None:
    def carry_out(work: Work) -> NodeResult:
        ways = [one.id for one in moves.ways_from(work.graph, work.node)]
        act = data.draw(st.sampled_from(["choose", "choose", "choose", "nothing", "fail", "burst"]), "act")
        if act == "burst":
            raise NodeFailed("It burst.")
        chosen = data.draw(st.sampled_from(ways), "chosen") if act == "choose" else None
        return NodeResult(succeeded=act != "fail", variables={work.node.id: work.step}, chosen=chosen)

    nodes_do(carry_out)
    comes_to_an_end(*started(drawn))


REQUESTS = ["pause", "run", "cancel", "message"]
# What befalls a step before it is done: people ask, it asks people or waits, looks up, or its worker is lost.
IN_A_STEP = [*REQUESTS, "pause", "ask", "nap", "look", "note", "crash", "overtaken"]
BETWEEN = [*REQUESTS, "time", "work"]


class Story:
    """One execution, what is asked of it, and whether its end was promised."""

    def __init__(self, *parts: Parts) -> None:
        self.caller, self.execution = started(graph(*parts))
        self.is_to_end = False

    def ask(self, what: str) -> None:
        """As people do, who may be told that it cannot be."""
        wanted = {"pause": Status.PAUSED, "run": Status.RUNNING, "cancel": Status.CANCELLED}
        try:
            if what == "message":
                wishes.add_message(self.caller, execution_id=self.execution.pk, text="Go on.")
            else:
                wishes.ask_status(self.caller, execution_id=self.execution.pk, status=wanted[what])
                self.is_to_end |= what == "cancel"
        except Conflict:
            pass

    def befall(self, work: Work, what: str) -> None:
        if what in REQUESTS:
            self.ask(what)
        match what:
            case "ask":
                raise Waiting("Which?", questions=[{"question": "Which?"}], seconds=60)
            case "nap":
                raise Waiting("A while.", seconds=60)
            case "look":
                work.tell(activities.generic("Looking."))
                work.interrupt.check()
            case "note":
                work.checkpoint(Checkpoint.Kind.SAID, {"step": work.step})
            case "crash":
                self.lose()
                raise Fenced("the worker was lost")
            case "overtaken":
                self.lose()
                assert store.claim(self.execution.pk)
                self.lose()

    def lose(self) -> None:
        """The lease is over, as when its worker is gone."""
        Execution.objects.filter(pk=self.execution.pk).update(lease_until=timezone.now() - timedelta(seconds=1))

    def between(self, what: str) -> None:
        if what in REQUESTS:
            self.ask(what)
        elif what == "time":
            Execution.objects.filter(pk=self.execution.pk, wake_at__isnull=False).update(wake_at=timezone.now())
            waiting.settle_what_waited()
        else:
            admission.admit()
            drive(self.execution.pk)


@few
@given(
    in_steps=st.lists(st.lists(st.sampled_from(IN_A_STEP), max_size=4), max_size=6),
    between=st.lists(st.sampled_from(BETWEEN), max_size=10),
)
@example(in_steps=[["cancel", "ask"]], between=["work"])
@example(in_steps=[["cancel"]], between=["work"])
@example(in_steps=[["pause", "run"], ["pause", "cancel", "pause"]], between=["work"])
def test_whatever_is_asked_in_any_order_leaves_neither_the_table_nor_a_wish(
    nodes_do: Any, in_steps: list[list[str]], between: list[str]
) -> None:
    story = Story(
        node("a", "url"),
        node("b", "url"),
        node("end", "output"),
        way("a", "b", "outcome_success", require_confirmation=True),
        way("b", "end", "outcome_success"),
    )
    to_come = iter(in_steps)

    def carry_out(work: Work) -> NodeResult:
        for what in next(to_come, []):
            story.befall(work, what)
        return NodeResult(variables={work.node.id: work.step})

    nodes_do(carry_out)
    for what in between:
        story.between(what)
    # Each visit uses one of them up; after them nothing befalls it any more.
    for _ in range(len(in_steps) + 2):
        story.between("work")
    story.execution.refresh_from_db()
    if story.is_to_end:
        assert story.execution.state.is_terminal, "it was said that it would be cancelled"
    for _ in range(ROUNDS):
        story.execution.refresh_from_db()
        if story.execution.state.is_terminal:
            break
        story.ask("run")
        story.between("work")
    assert_well_kept(story.execution)
    assert story.execution.state.is_terminal
