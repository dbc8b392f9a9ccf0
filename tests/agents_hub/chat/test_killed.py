"""Real web processes, killed and stopped in the midst of turns: each is answered once, and no tool is called twice."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from accounts.caller import Caller
from agents_hub import tasks
from agents_hub.models import Agent, ToolUse, Turn, TurnEvent, TurnStatus
from agents_hub.services import turns
from mcp_gateway.models import RemoteServer
from security.outbound.transport import POOL
from tests.agents_hub.chat.talks import Talk, asked, remote_name
from tests.agents_hub.chat.webs import Open, Web, Webs, wait_until
from tests.agents_hub.factories import member_of
from tests.connections import connection_count, listening_count
from tests.factories import caller_for
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import Fault, ModelProvider, Reply

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

# How often the schedule looks for turns whose process was lost, in seconds.
SWEEP_SECONDS = tasks.BEAT["agents: mark answers whose process was lost, and give those that nobody takes to workers"][
    "schedule"
].total_seconds()
HELD = Reply(pieces=("One ", "two ", "three ", "four."), held=True)
BROKEN_OFF = replace(HELD, cut=True)
AT_ONCE = 5
# Pools of threads are as large as many came at once, and some threads have a connection to the database each. One that
# is left by each turn that was stopped would be fifty.
BY_CHANCE = 10


@pytest.fixture
def webs(tmp_path: Path, transactional_db: None) -> Iterator[Webs]:
    with ExitStack() as running:
        yield Webs(tmp_path, running)


@pytest.fixture
def talk(agent: Agent) -> Talk:
    """Somebody who talks to the agent from a process that carries nothing out."""
    return Talk.begin(caller_for(member_of(agent.organization)), agent)


def asked_of(talk: Talk) -> Turn:
    return turns.begin(talk.caller, conversation_id=talk.conversation.pk, text="Please.")


def is_now(turn: Turn, status: TurnStatus) -> bool:
    turn.refresh_from_db()
    return turn.status == status


def is_swept(turn: Turn) -> bool:
    """What the schedule does, and whether it ended the turn."""
    tasks.look_after_turns()
    return is_now(turn, TurnStatus.ERROR)


def interrupted(turn: Turn) -> None:
    """Until it is marked as such: when its lease is over, by the next look at it."""
    turn.refresh_from_db()
    lease_until = turn.lease_until
    wait_until(lambda: is_swept(turn))
    assert turn.error_code == "interrupted"
    assert lease_until is not None
    assert turn.ended_at is not None
    assert 0 <= (turn.ended_at - lease_until).total_seconds() < SWEEP_SECONDS


def has_said(turn: Turn) -> bool:
    return TurnEvent.objects.filter(turn=turn, kind="text").exists()


def test_a_web_process_killed_while_the_model_speaks_leaves_a_turn_that_another_goes_on_with(
    talk: Talk, model: ModelProvider, webs: Webs
) -> None:
    model.answers.append(HELD)
    turn, first = asked_of(talk), webs.start()
    wait_until(lambda: has_said(turn), webs.said)
    first.kill()
    interrupted(turn)
    webs.start()
    turns.try_again(talk.caller, turn_id=turn.pk)
    wait_until(lambda: is_now(turn, TurnStatus.COMPLETED), webs.said)
    turn.answer.refresh_from_db()
    assert turn.answer.text == "Hello there."
    assert turn.steps.count() == 1


def test_a_web_process_killed_while_a_tool_is_called_leaves_a_turn_in_which_no_tool_is_called_twice(
    talk: Talk, model: ModelProvider, server: McpServer, webs: Webs
) -> None:
    printer = talk.give(server)
    calls = ((remote_name(printer, "number"), '{"value": 7}'), (remote_name(printer, "wait"), "{}"))
    model.answers += [Reply(pieces=(), calls=calls), Reply(pieces=("As far as I know.",))]
    turn, first = asked_of(talk), webs.start()
    done = ToolUse.objects.filter(turn=turn, status=ToolUse.Status.DONE)
    wait_until(lambda: server.waiting.is_set() and done.exists(), webs.said)
    first.kill()
    interrupted(turn)
    webs.start()
    turns.try_again(talk.caller, turn_id=turn.pk)
    wait_until(lambda: is_now(turn, TurnStatus.COMPLETED), webs.said)
    assert sorted(seen.rpc["params"]["name"] for seen in server.asked("tools/call")) == ["number", "wait"]
    assert [use.status for use in turn.tool_uses.order_by("place")] == [ToolUse.Status.DONE, ToolUse.Status.UNKNOWN]
    assert len(model.seen) == 2
    assert "unknown" in asked(model)[-1]["content"]


def overtaken(
    talk: Talk, model: ModelProvider, webs: Webs, first_gets: Reply, until: Callable[[Turn], bool], **environment: str
) -> Turn:
    """A turn whose process stood still while another took it over and answered, and then woke up and came so far."""
    model.answers += [first_gets, Reply(pieces=("The second answered.",))]
    turn, first = asked_of(talk), webs.start(**environment)
    wait_until(lambda: has_said(turn), webs.said)
    os.kill(first.process.pid, signal.SIGSTOP)
    interrupted(turn)
    second = webs.start()
    turns.try_again(talk.caller, turn_id=turn.pk)
    wait_until(lambda: is_now(turn, TurnStatus.COMPLETED), webs.said)
    second.kill()
    model.go.set()
    os.kill(first.process.pid, signal.SIGCONT)
    wait_until(lambda: until(turn), webs.said)
    turn.answer.refresh_from_db()
    turn.refresh_from_db()
    return turn


@pytest.mark.parametrize("first_gets", [HELD, BROKEN_OFF], ids=["with an answer", "with a failure"])
def test_a_web_process_that_stood_still_and_was_overtaken_writes_nothing_when_it_wakes_up(
    talk: Talk, model: ModelProvider, webs: Webs, first_gets: Reply
) -> None:
    turn = overtaken(talk, model, webs, first_gets, lambda turn: f"Turn {turn.pk} was taken away" in webs.said())
    assert (turn.status, turn.answer.text, turn.steps.count()) == (TurnStatus.COMPLETED, "The second answered.", 1)
    said = "".join(event.body["text"] for event in TurnEvent.objects.filter(turn=turn, kind="text"))
    assert "four" not in said


def test_without_the_fence_the_one_that_wakes_up_spoils_the_answer(
    talk: Talk, model: ModelProvider, webs: Webs
) -> None:
    """The test above would notice: its first process without the fence."""

    def is_spoilt(turn: Turn) -> bool:
        turn.refresh_from_db()
        turn.answer.refresh_from_db()
        return (turn.status, turn.answer.text) != (TurnStatus.COMPLETED, "The second answered.")

    overtaken(talk, model, webs, BROKEN_OFF, is_spoilt, TEST_WEB_FENCE="off")


def test_two_web_processes_carry_each_of_thirty_waiting_turns_out_once(
    talk: Talk, model: ModelProvider, webs: Webs
) -> None:
    for _ in range(2):
        webs.start(CHAT_TURNS_PER_PROCESS=str(AT_ONCE))
    model.answers.extend([HELD] * 30)
    waiting = [asked_of(Talk.begin(talk.caller, talk.agent)) for _ in range(30)]
    # Both have as many as they take at once.
    wait_until(lambda: len(model.seen) == 2 * AT_ONCE, webs.said)
    model.go.set()
    wait_until(lambda: not Turn.objects.filter(status=TurnStatus.IN_PROGRESS).exists(), webs.said)
    assert len(model.seen) == 30
    carried = Turn.objects.filter(pk__in=[turn.pk for turn in waiting])
    assert set(carried.values_list("status", "fence", "rounds")) == {(TurnStatus.COMPLETED, 1, 1)}


def test_after_two_hundred_turns_half_of_them_stopped_or_failed_nothing_is_left_open(
    talk: Talk, model: ModelProvider, server: McpServer, webs: Webs
) -> None:
    # An older server has sessions: each is a stream that stands as long as the turn's connection.
    server.older = True
    printer = talk.give(server)
    web = webs.start(CHAT_TURNS_PER_PERSON="50")
    echo = calling(printer, "echo", '{"text": "ink"}')
    wait = calling(printer, "wait", "{}")

    def fifty(*answers: Reply | Fault) -> tuple[Caller, list[Turn]]:
        """Fifty turns at once, answered so. Somebody else's each time: what a plan gives a person is not all used."""
        caller = caller_for(member_of(talk.agent.organization))
        model.answers.extend(answers)
        return caller, [asked_of(Talk.begin(caller, talk.agent)) for _ in range(50)]

    def ended() -> None:
        wait_until(lambda: not Turn.objects.filter(status=TurnStatus.IN_PROGRESS).exists(), webs.said)
        model.answers.clear()

    def under_way(tool: str) -> int:
        return ToolUse.objects.filter(turn__status=TurnStatus.IN_PROGRESS, title=tool, status="running").count()

    def two_hundred() -> None:
        fifty(*[echo] * 50)
        ended()
        fifty()
        ended()
        caller, asked_for = fifty(*[wait] * 50)
        # Each is in the midst of a call, over a connection of its own.
        wait_until(lambda: under_way("wait") == 50 and server.under_way >= 50, webs.said)
        for turn in asked_for:
            turns.stop(caller, turn_id=turn.pk)
        ended()
        # What fails does so after a call, with its connection open.
        fifty(*[echo] * 50, *[Fault(401)] * 25, *[Reply(cut=True)] * 25)
        ended()
        # Who of them had which answer is by chance, but that so many had a connection is not.
        assert len(server.asked("initialize")) >= 100
        server.seen.clear()

    two_hundred()
    before, connections = settled(web), connection_count()
    two_hundred()
    statuses = Turn.objects.order_by("-id")[:200].values_list("status", flat=True)
    assert list(statuses).count(TurnStatus.COMPLETED) == 100
    assert list(statuses).count(TurnStatus.STOPPED) == 50
    assert list(statuses).count(TurnStatus.ERROR) == 50
    wait_until(lambda: server.under_way == 0)
    after = settled(web)
    # Clients of servers are kept for the next turn, and each keeps a few connections at most.
    kept = web.outgoing()
    assert {port for _, port in kept} <= {urlsplit(server.url).port}
    assert len(kept) <= POOL["max_keepalive_connections"]
    assert after.threads <= before.threads + BY_CHANCE
    assert after.sockets <= before.sockets + BY_CHANCE
    assert after.files <= before.files + BY_CHANCE
    assert connection_count() <= connections + BY_CHANCE
    assert listening_count() == 1


def test_a_process_that_is_killed_in_the_midst_of_calls_leaves_no_connection_open(
    talk: Talk, model: ModelProvider, server: McpServer, webs: Webs
) -> None:
    server.older = True
    printer = talk.give(server)
    victim = webs.start(CHAT_TURNS_PER_PERSON="20")
    model.answers.extend([calling(printer, "wait", "{}")] * 20)
    asked_for = [asked_of(Talk.begin(talk.caller, talk.agent)) for _ in range(20)]
    wait_until(lambda: len(server.asked("tools/call")) == 20, webs.said)
    assert server.under_way >= 20
    victim.kill()
    wait_until(lambda: server.under_way == 0)
    interrupted(asked_for[0])
    assert set(Turn.objects.values_list("status", "error_code")) == {(TurnStatus.ERROR, "interrupted")}
    wait_until(lambda: listening_count() == 0)


def calling(server: RemoteServer, tool: str, arguments: str) -> Reply:
    """A call of it, by a model that uses next to nothing of a plan."""
    return Reply(pieces=(), calls=((remote_name(server, tool), arguments),), input=1, cached=0, output=1)


def settled(web: Web) -> Open:
    """What it holds, once that has not changed for a while."""
    seen = [web.holds()]

    def is_quiet() -> bool:
        seen.append(web.holds())
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    wait_until(is_quiet)
    return seen[-1]
