"""Connecting a server from within an answer: offered where it helps, and back to the same chat."""

import pytest
from django.test import Client

from agents_hub.models import ScheduledTask, TurnEvent
from agents_hub.services import scheduled_tasks
from mcp_gateway.models import AuthType, ClientMode
from mcp_gateway.remote import discovery
from tests.agents_hub.chat.seeing import shown, url
from tests.agents_hub.chat.talks import Talk
from tests.factories import RemoteServerFactory
from tests.fakes.mcp_server import McpServer, status
from tests.fakes.model_provider import ModelProvider

pytestmark = pytest.mark.django_db
OAUTH = {"auth_type": AuthType.OAUTH, "client_mode": ClientMode.DYNAMIC}


def test_connect_in_an_answer_leads_to_the_sign_in_with_what_was_typed_and_back_to_the_chat(
    browser: Client, talk: Talk, model: ModelProvider
) -> None:
    server = RemoteServerFactory(organization=talk.agent.organization, name="HubSpot", **OAUTH)
    talk.agent.agent_servers.create(server=server)
    turn = talk.say()
    connect = url("connect", talk.conversation.pk, server.pk)
    told = shown(browser, talk).partition(f'id="told-{turn.pk.hex}')[2].partition("</button>")[0]
    assert f'form="composer" formaction="{connect}"' in told
    browser.post(connect, {"text": "Half a"})
    talk.conversation.refresh_from_db()
    assert talk.conversation.draft == "Half a"


def test_nobody_is_told_to_connect_a_server_that_all_open_with_one_key(
    browser: Client, talk: Talk, model: ModelProvider, hostile: McpServer
) -> None:
    given = talk.give(hostile, name="Printer")
    type(given).objects.filter(pk=given.pk).update(auth_type=AuthType.API_KEY, headers=None)
    discovery.clear()
    hostile.by_method.update({"server/discover": status(401), "tools/list": status(401), "initialize": status(401)})
    turn = talk.say()
    (problem,) = TurnEvent.objects.filter(turn=turn, kind="problem")
    assert (problem.body["code"], problem.body["connects"]) == ("unauthorized", False)
    page = shown(browser, talk)
    assert "cannot be used in this answer" in page
    assert url("connect", talk.conversation.pk, given.pk) not in page


def test_a_scheduled_task_does_not_take_a_refused_key_for_its_makers_lost_connection(
    task: ScheduledTask, talk: Talk, model: ModelProvider, hostile: McpServer
) -> None:
    talk.give(hostile)
    hostile.by_method.update({"server/discover": status(401), "tools/list": status(401), "initialize": status(401)})
    turn = talk.say()
    run = task.runs.create(conversation=talk.conversation, turn=turn)
    scheduled_tasks.settle_runs()
    run.refresh_from_db()
    task.refresh_from_db()
    assert run.is_settled
    assert task.problem == ""
