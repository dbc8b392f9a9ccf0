"""Chats by REST over a real port: asked with a key, carried out by the server itself, seen as they happen."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import psutil
import pytest
from django.test import Client
from pytest_django import Settings

from accounts.caller import Door
from accounts.models import ApiKey, User
from accounts.scopes import Scope
from accounts.services import keys
from agents_hub.models import Agent, Stage, ToolUse
from mcp_gateway.models import RemoteTool
from security.outbound.transport import POOL
from tests.agents_hub.chat.rest import SECONDS, ask, client_of, ended, platform, platform_port, watching
from tests.agents_hub.chat.talks import remote_name
from tests.agents_hub.chat.webs import wait_until
from tests.agents_hub.factories import AgentFactory, member_of
from tests.connections import connection_count, listening_count
from tests.factories import OrganizationFactory, caller_for
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import ModelProvider, Reply
from tests.llm.rows import provider_row
from tests.mcp_gateway.remote.elsewhere import row
from tests.serving import Served
from tests.sse import Open, Sent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(transactional_db: None, model: ModelProvider) -> Agent:
    agent: Agent = AgentFactory(organization=OrganizationFactory(), name="Helper", stage=Stage.RELEASED)
    provider_row(agent.organization, model)
    return agent


@pytest.fixture
def person(agent: Agent) -> User:
    return member_of(agent.organization)


@pytest.fixture
def port(agent: Agent) -> Iterator[int]:
    with platform_port() as served:
        yield served


@pytest.fixture
def api(port: int, person: User) -> Iterator[httpx.Client]:
    with client_of(person, port) as client:
        yield client


def text_of(events: list[Sent]) -> str:
    return "".join(json.loads(event.body)["text"] for event in events if event.name == "text")


def test_a_question_is_accepted_and_its_answer_looked_at(api: httpx.Client, agent: Agent) -> None:
    asked = ask(api, agent)
    turn = ended(api, asked["turnId"])
    assert (turn["status"], turn["text"], turn["model"]) == ("completed", "Hello there.", "main:gpt-5")
    assert turn["usage"]["inputTokens"] == 100
    conversation = api.get(f"conversations/{asked['conversationId']}").json()
    assert [(one["speaker"], one["text"]) for one in conversation["messages"]] == [
        ("person", "Hello?"),
        ("agent", "Hello there."),
    ]


def test_a_question_can_be_answered_by_a_stream(api: httpx.Client, agent: Agent) -> None:
    request = api.build_request(
        "POST", "chat", json={"agentId": str(agent.pk), "message": "Hi"}, headers={"Accept": "text/event-stream"}
    )
    with Open(api.send(request, stream=True)) as stream:
        events = stream.until("over")
    assert text_of(events) == "Hello there."
    assert json.loads([event for event in events if event.name == "turn"][-1].body)["status"] == "completed"


def test_a_stream_that_was_cut_goes_on_where_it_was(api: httpx.Client, agent: Agent, model: ModelProvider) -> None:
    model.answers.append(Reply(pieces=("One ", "two ", "three ", "four."), held=True))
    turn_id = ask(api, agent)["turnId"]
    with watching(api, f"turns/{turn_id}/events") as stream:
        before = stream.until("text")
    model.go.set()
    with watching(api, f"turns/{turn_id}/events", **{"Last-Event-ID": before[-1].id}) as stream:
        after = stream.until("over")
    assert text_of([*before, *after]) == "One two three four."


def test_two_who_look_on_see_the_same(api: httpx.Client, agent: Agent, model: ModelProvider) -> None:
    model.answers.append(Reply(pieces=("One ", "two ", "three ", "four."), held=True))
    turn_id = ask(api, agent)["turnId"]
    with watching(api, f"turns/{turn_id}/events") as one, watching(api, f"turns/{turn_id}/events") as other:
        model.go.set()
        assert text_of(one.until("over")) == text_of(other.until("over")) == "One two three four."


def test_stopping_ends_it_and_keeps_what_was_said(api: httpx.Client, agent: Agent, model: ModelProvider) -> None:
    model.answers.append(Reply(pieces=("One ", "two ", "three ", "four."), held=True))
    turn_id = ask(api, agent)["turnId"]
    with watching(api, f"turns/{turn_id}/events") as stream:
        stream.until("text")
        assert api.post(f"turns/{turn_id}/stop").status_code == 202
        stream.until("over")
    turn = api.get(f"turns/{turn_id}").json()
    assert turn["status"] == "stopped"
    assert turn["text"].startswith("One")


def test_a_permission_is_asked_for_and_given(
    api: httpx.Client, agent: Agent, model: ModelProvider, server: McpServer
) -> None:
    printer = row(agent.organization, server, slug="printer")
    agent.agent_servers.create(server=printer)
    ended(api, ask(api, agent)["turnId"])
    RemoteTool.objects.filter(server=printer, name="echo").update(ask_first=True)
    type(printer).objects.filter(pk=printer.pk).update(revision=printer.revision + 1)
    model.answers += [Reply(pieces=(), calls=((remote_name(printer, "echo"), '{"text": "ink"}'),)), Reply()]
    turn_id = ask(api, agent)["turnId"]
    with watching(api, f"turns/{turn_id}/events") as stream:
        inquiry = json.loads(stream.until("inquiry")[-1].body)
        (shown,) = api.get(f"turns/{turn_id}").json()["inquiries"]
        assert (shown["id"], shown["askedBy"]) == (inquiry["inquiryId"], printer.name)
        answered = api.post(f"inquiries/{shown['id']}/answer", json={"action": "once"})
        assert answered.status_code == 200
        stream.until("over")
    assert ToolUse.objects.get(turn=turn_id).status == ToolUse.Status.DONE
    assert api.post(f"inquiries/{shown['id']}/answer", json={"action": "once"}).status_code == 409


def test_a_revoked_key_sees_no_more(
    api: httpx.Client, agent: Agent, person: User, model: ModelProvider, settings: Settings
) -> None:
    settings.STREAM_BEAT_SECONDS = 0.2
    model.answers.append(Reply(held=True))
    turn_id = ask(api, agent)["turnId"]
    with watching(api, f"turns/{turn_id}/events") as stream:
        stream.until("text")
        keys.revoke_key(caller_for(person, Scope.ADMIN, Door.PAGE), key_id=ApiKey.objects.get().pk)
        assert stream.until("cut")
    assert api.get(f"turns/{turn_id}").status_code == 401


def test_a_signed_in_person_needs_no_key_but_the_token_of_a_form(port: int, agent: Agent, person: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    session = {"sessionid": browser.cookies["sessionid"].value, "csrftoken": "c" * 32}
    body = {"agentId": str(agent.pk), "message": "Hi"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/", cookies=session, timeout=SECONDS) as page:
        assert page.get("conversations").status_code == 200
        refused = page.post("chat", json=body)
        assert refused.status_code == 403, refused.text
        assert page.post("chat", json=body, headers={"X-CSRFToken": "c" * 32}).status_code == 202


def test_a_request_that_comes_twice_under_its_key_asks_once(api: httpx.Client, agent: Agent) -> None:
    body = {"agentId": str(agent.pk), "message": "Hi"}
    first, second = (api.post("chat", json=body, headers={"Idempotency-Key": "one"}) for _ in range(2))
    assert first.json() == second.json()
    assert api.get("conversations").json()["total"] == 1


def test_what_was_said_is_not_in_the_audit(api: httpx.Client, agent: Agent) -> None:
    from security.models import AuditEntry

    ended(api, ask(api, agent, "The treasure is under the oak")["turnId"])
    assert AuditEntry.objects.filter(action="chat.ask").exists()
    assert not [entry for entry in AuditEntry.objects.all() if "oak" in json.dumps(entry.detail)]


@dataclass(frozen=True)
class Holding:
    """What a process holds for turns: tasks of the loop that serves it, connections to the model, to the database."""

    tasks: int
    turns: int
    sockets: int
    connections: int
    listeners: int


def held_by(place: Served, model: ModelProvider) -> Holding:
    async def tasks() -> list[str]:
        return [task.get_name() for task in asyncio.all_tasks()]

    names = asyncio.run_coroutine_threadsafe(tasks(), place.loop).result(SECONDS)
    # Both ends of a connection to the model lie in this process.
    to_model = [one for one in psutil.Process().net_connections("tcp") if one.raddr and one.raddr.port == model.port]
    turns = sum(name.startswith("turn ") for name in names)
    return Holding(len(names), turns, len(to_model), connection_count(), listening_count())


@pytest.mark.faults
def test_fifty_turns_are_carried_out_at_once_and_leave_nothing_behind(
    transactional_db: None, person: User, agent: Agent, model: ModelProvider, settings: Settings
) -> None:
    settings.CHAT_TURNS_PER_PERSON = settings.CHAT_TURNS_PER_ORGANIZATION = 50
    with platform(at_once=50) as place, client_of(person, place.port) as api:
        ended(api, ask(api, agent)["turnId"])
        before = held_by(place, model)
        model.answers.extend([Reply(held=True)] * 50)
        turns = [ask(api, agent, f"Question {number}")["turnId"] for number in range(50)]
        model.wait_until_seen(1 + 50)
        # All stand still in the midst of their answers.
        under_way = held_by(place, model)
        assert under_way.turns == 50
        assert under_way.sockets >= 50
        # Pages and turns are woken by one connection.
        assert under_way.listeners == 1
        model.go.set()
        assert {ended(api, turn)["status"] for turn in turns} == {"completed"}
        wait_until(lambda: held_by(place, model).tasks <= before.tasks)
        after = held_by(place, model)
        assert (after.turns, after.listeners) == (0, 1)
        # Clients of models are kept for the next turn, and each keeps a few connections at most.
        assert after.sockets <= POOL["max_keepalive_connections"]
        # Threads of the pools have a connection each, and are as many as were needed at once.
        assert after.connections <= under_way.connections + settings.QUICK_THREADS + settings.WIDE_THREADS
