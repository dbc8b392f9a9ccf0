"""Who is answered when much is asked: so many at once of one person and one organization, the rest in turn."""

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from pytest_django import Settings

from accounts.errors import Conflict
from accounts.models import Organization
from agents_hub import tasks
from agents_hub.chat import claiming
from agents_hub.chat.runner import Runner
from agents_hub.models import Agent, Stage, Turn, TurnStatus
from agents_hub.services import turns
from tests.agents_hub.chat.seeing import shown
from tests.agents_hub.chat.talks import Talk, asking_first, begun, calling, halfway, remote_name
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import OrganizationFactory, caller_for
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import Fault, ModelProvider, Reply
from tests.mcp_gateway.remote.elsewhere import run

pytestmark = pytest.mark.django_db


def asked_by(agent: Agent, times: int) -> list[Turn]:
    """A member of the agent's organization asks so many questions, each in a conversation of its own."""
    caller = caller_for(member_of(agent.organization))
    return [begun(Talk.begin(caller, agent)) for _ in range(times)]


def taken(most: int = 100) -> set[Turn]:
    return set(Turn.objects.filter(pk__in=[held.id for held in claiming.claim(most)]))


@pytest.fixture
def elsewhere(db: None) -> Agent:
    """An agent of another organization."""
    other: Organization = OrganizationFactory(name="Harbour")
    agent: Agent = AgentFactory(organization=other, stage=Stage.RELEASED)
    return agent


def test_a_person_has_so_many_answers_at_once_and_the_rest_in_turn(agent: Agent, settings: Settings) -> None:
    settings.CHAT_TURNS_PER_PERSON = 2
    busy, other = asked_by(agent, 4), asked_by(agent, 1)
    assert taken() == {*busy[:2], *other}
    assert taken() == set()
    Turn.objects.filter(pk=busy[0].pk).update(status=TurnStatus.STOPPED, ended_at=busy[0].created_at, lease_until=None)
    assert taken() == {busy[2]}


def test_an_organization_has_so_many_answers_at_once(agent: Agent, elsewhere: Agent, settings: Settings) -> None:
    settings.CHAT_TURNS_PER_ORGANIZATION = 3
    busy = [*asked_by(agent, 2), *asked_by(agent, 2)]
    theirs = asked_by(elsewhere, 1)
    assert len(taken() - set(theirs)) == 3
    assert len([turn for turn in busy if claiming.claim(1, turn.pk)]) == 0


def test_organizations_take_turns_and_within_one_its_people(agent: Agent, elsewhere: Agent) -> None:
    first, second, theirs = asked_by(agent, 5), asked_by(agent, 1), asked_by(elsewhere, 2)
    assert taken(2) == {first[0], theirs[0]}
    assert taken(2) == {second[0], theirs[1]}
    assert taken(1) == {first[1]}


def test_one_turn_alone_is_taken_only_where_there_is_room_for_its_person(agent: Agent, settings: Settings) -> None:
    settings.CHAT_TURNS_PER_PERSON = 1
    first, second = asked_by(agent, 2)
    assert claiming.claim(1, second.pk)
    assert not claiming.claim(1, first.pk)


def test_workers_are_told_only_of_turns_that_may_be_taken_and_of_each_once(
    agent: Agent, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT_TURNS_PER_PERSON = 2
    told: list[str] = []
    monkeypatch.setattr(tasks.carry_out_turn, "apply_async", lambda arguments, expires: told.extend(arguments))
    waiting = asked_by(agent, 5)
    Turn.objects.update(created_at="2020-01-01T00:00:00Z")
    for _ in range(3):
        tasks.look_after_turns()
    assert sorted(told) == sorted(str(turn.pk) for turn in waiting[:2])


def test_a_turn_that_is_gone_on_with_is_left_to_web_processes_first(talk: Talk, model: ModelProvider) -> None:
    model.answers.append(Fault(401))
    turn = talk.say()
    Turn.objects.update(created_at="2020-01-01T00:00:00Z")
    turns.try_again(talk.caller, turn_id=turn.pk)
    assert claiming.hand_out() == []
    Turn.objects.update(resumed_at="2020-01-01T00:00:00Z")
    assert claiming.hand_out() == [turn.pk]


def test_the_page_says_what_an_answer_waits_for(talk: Talk, browser: Client, agent: Agent, settings: Settings) -> None:
    begun(talk)
    assert "Queued" in shown(browser, talk)
    settings.CHAT_TURNS_PER_PERSON = settings.CHAT_TURNS_PER_ORGANIZATION = 1
    other = asked_by(agent, 1)[0]
    assert claiming.claim(1, other.pk)
    assert "Queued: your organization has as many answers under way" in shown(browser, talk)


def test_what_is_asked_beyond_the_limit_is_answered_after_the_rest(
    talk: Talk, model: ModelProvider, settings: Settings
) -> None:
    settings.CHAT_TURNS_PER_PERSON = 1
    model.answers += [Reply(held=True)]
    first, second = begun(talk), begun(Talk.begin(talk.caller, talk.agent))

    async def work() -> None:
        async with Runner(capacity=5).running():
            await halfway(model)
            assert len(model.seen) == 1
            model.go.set()
            under_way = Turn.objects.filter(status=TurnStatus.IN_PROGRESS)
            while await sync_to_async(under_way.exists)():
                await talk.moment()

    run(work)
    assert set(Turn.objects.filter(pk__in=[first.pk, second.pk]).values_list("status", flat=True)) == {"completed"}
    assert len(model.seen) == 2


def test_a_turn_that_waits_for_its_person_holds_up_nobody(talk: Talk, model: ModelProvider, server: McpServer) -> None:
    printer = asking_first(talk, server)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply(pieces=("For the other.",))]
    turn = begun(talk)

    async def work() -> None:
        async with Runner(capacity=1).running():
            await talk.inquiry(turn)
            other = await sync_to_async(lambda: begun(Talk.begin(talk.caller, talk.agent)))()
            done = Turn.objects.filter(pk=other.pk, status=TurnStatus.COMPLETED)
            while not await sync_to_async(done.exists)():
                await talk.moment()

    run(work)


def test_a_person_who_has_too_much_waiting_is_told_so(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_AT_ONCE", 1)
    begun(talk)
    with pytest.raises(Conflict, match="waiting for answers"):
        begun(Talk.begin(talk.caller, talk.agent))
