"""Two people talk to one agent that has one server with sign-in: each call carries the token of whoever asked."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from accounts.models import User
from agents_hub.models import Agent, ToolUse
from agents_hub.services import scheduled_tasks as tasks
from mcp_gateway.models import AuthType, ClientMode, RemoteServer
from mcp_gateway.remote.oauth.client_document import callback_url
from tests.agents_hub.chat.rest import ask, client_of, ended, platform_port
from tests.agents_hub.chat.scheduled import run_once, wanted
from tests.agents_hub.chat.talks import asked, offered, remote_name
from tests.agents_hub.factories import member_of
from tests.factories import RemoteServerFactory, caller_for
from tests.fakes.model_provider import ModelProvider, Reply
from tests.fakes.oauth_mcp_server import OAuthMcpServer, served_oauth_mcp
from tests.mcp_gateway.remote.oauth.conftest import CLIENT_ID, CLIENT_SECRET, Browser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def accounts_server() -> Iterator[OAuthMcpServer]:
    with served_oauth_mcp() as served:
        served.know_client(CLIENT_ID, CLIENT_SECRET, callback_url(), method="client_secret_basic")
        yield served


@pytest.fixture
def assigned(agent: Agent, accounts_server: OAuthMcpServer) -> RemoteServer:
    """The server with sign-in, given to the agent."""
    made: RemoteServer = RemoteServerFactory(
        organization=agent.organization,
        name="Accounts",
        slug="accounts",
        url=accounts_server.url,
        auth_type=AuthType.OAUTH,
        client_mode=ClientMode.KNOWN_CREDENTIALS,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
    )
    agent.agent_servers.create(server=made)
    return made


def connected(agent: Agent, assigned: RemoteServer, fake: OAuthMcpServer, account: str) -> User:
    """A member who has let the platform in to their account at the server."""
    person = member_of(agent.organization)
    Browser(caller_for(person), secret=account).connect(assigned, fake, account)
    return person


@pytest.fixture
def port(agent: Agent) -> Iterator[int]:
    with platform_port() as served:
        yield served


def test_each_call_carries_the_token_of_the_person_who_asked(
    agent: Agent, assigned: RemoteServer, accounts_server: OAuthMcpServer, model: ModelProvider, port: int
) -> None:
    people = {account: connected(agent, assigned, accounts_server, account) for account in ("ada", "grace")}
    accounts_server.seen.clear()
    whoami = Reply(pieces=(), calls=((remote_name(assigned, "whoami"), "{}"),))
    with ExitStack() as open_ones:
        apis = {name: open_ones.enter_context(client_of(person, port)) for name, person in people.items()}
        # By turns, so that whatever is kept from the one would be there for the other.
        for account in ("ada", "grace", "ada", "grace"):
            before = len(accounts_server.seen)
            model.answers += [whoami, Reply()]
            turn = ended(apis[account], ask(apis[account], agent)["turnId"])
            assert turn["status"] == "completed"
            (use,) = turn["toolUses"]
            assert use["result"]["content"][0]["text"].startswith(f"{account} with")
            assert whose(accounts_server, before) == {account}
    assert len(calls_of(accounts_server, 0)) == 4
    said = json.dumps([request.body for request in model.seen])
    assert not [token for token in accounts_server.provider.access if token in said]


def test_two_who_ask_at_the_same_time_are_not_mixed_up(
    agent: Agent, assigned: RemoteServer, accounts_server: OAuthMcpServer, model: ModelProvider, port: int
) -> None:
    people = {account: connected(agent, assigned, accounts_server, account) for account in ("ada", "grace")}
    accounts_server.seen.clear()
    # Both stand in the midst of their first answer, then go on together.
    whoami = Reply(pieces=(), calls=((remote_name(assigned, "whoami"), "{}"),), held=True)
    model.answers += [whoami, whoami]
    with ExitStack() as open_ones:
        apis = {name: open_ones.enter_context(client_of(person, port)) for name, person in people.items()}
        turns = {name: ask(api, agent)["turnId"] for name, api in apis.items()}
        model.wait_until_seen(2)
        model.go.set()
        for account, api in apis.items():
            (use,) = ended(api, turns[account])["toolUses"]
            assert use["result"]["content"][0]["text"].startswith(f"{account} with")
    assert len(calls_of(accounts_server, 0)) == 2
    assert whose(accounts_server, 0) == {"ada", "grace"}


def test_a_scheduled_task_carries_the_token_of_whoever_made_it(
    agent: Agent, assigned: RemoteServer, accounts_server: OAuthMcpServer, model: ModelProvider, port: int
) -> None:
    maker, _ = (connected(agent, assigned, accounts_server, account) for account in ("ada", "grace"))
    task = tasks.create_task(caller_for(maker), agent_id=agent.pk, wanted=wanted())
    accounts_server.seen.clear()
    model.answers += [Reply(pieces=(), calls=((remote_name(assigned, "whoami"), "{}"),)), Reply()]
    run = run_once(task)
    with client_of(maker, port) as api:
        (use,) = ended(api, str(run.turn_id))["toolUses"]
    assert use["result"]["content"][0]["text"].startswith("ada with")
    assert whose(accounts_server, 0) == {"ada"}


def test_a_member_without_a_connection_is_told_and_has_none_of_the_servers_tools(
    agent: Agent, assigned: RemoteServer, accounts_server: OAuthMcpServer, model: ModelProvider, port: int
) -> None:
    connected(agent, assigned, accounts_server, "ada")
    accounts_server.seen.clear()
    # What a model says that was told of the tool elsewhere.
    model.answers += [Reply(pieces=(), calls=((remote_name(assigned, "whoami"), "{}"),)), Reply()]
    with client_of(member_of(agent.organization), port) as api:
        turn_id = ask(api, agent)["turnId"]
        assert ended(api, turn_id)["status"] == "completed"
        problem = problem_in(api, turn_id)
    assert (problem["name"], problem["code"], problem["connects"]) == ("Accounts", "not_connected", True)
    assert not offered(model, 0)
    assert "no tool" in asked(model)[-1]["content"]
    assert not calls_of(accounts_server, 0)
    assert not [seen for seen in accounts_server.seen if "authorization" in seen.headers]
    # The call is shown, and was not made.
    assert ToolUse.objects.get().began_at is None


def calls_of(fake: OAuthMcpServer, before: int) -> list[str]:
    """With which token each call came, by the server's own log."""
    calls = [seen for seen in fake.seen[before:] if seen.sent.get("method") == "tools/call"]
    return [seen.headers["authorization"].removeprefix("Bearer ") for seen in calls]


def whose(fake: OAuthMcpServer, before: int) -> set[str | None]:
    """Whose tokens came with anything that was asked, calls and lists."""
    sent = {seen.headers.get("authorization", "") for seen in fake.seen[before:] if seen.path == "/mcp"}
    return {fake.provider.access[token.removeprefix("Bearer ")].subject for token in sent if token}


def problem_in(api: httpx.Client, turn_id: str) -> dict[str, object]:
    events = api.get(f"turns/{turn_id}/events").json()["events"]
    (problem,) = [event["body"] for event in events if event["kind"] == "problem"]
    found: dict[str, object] = problem
    return found
