"""A scheduled task whose server fails just now, while its maker's sign-in there is in order."""

import pytest

from agents_hub.models import AgentServer, ScheduledTask
from mcp_gateway.remote import health
from mcp_gateway.remote.problems import Code
from tests.agents_hub.chat.scheduled import run_once
from tests.factories import RemoteConnectionFactory, RemoteServerFactory

pytestmark = pytest.mark.django_db


def test_a_server_that_failed_lately_does_not_keep_a_task_from_running(task: ScheduledTask) -> None:
    server = RemoteServerFactory(oauth=True, organization=task.organization, name="HubSpot")
    AgentServer.objects.create(agent=task.agent, server=server)
    RemoteConnectionFactory(server=server, user=task.maker)
    health.failed(server.pk, Code.TIMEOUT, "The server did not answer within 15 seconds.")
    run = run_once(task)
    assert (run.problem, run.turn is not None) == ("", True)
