"""Run on a tool's page, while answers leave its server alone."""

from django.test import Client

from accounts.models import Organization
from mcp_gateway.models import RemoteHealth
from mcp_gateway.remote import discovery, health
from mcp_gateway.remote.problems import Code
from tests.fakes.mcp_server import McpServer
from tests.mcp_gateway.remote.elsewhere import row

LIST = "/dashboard/integrations"


def test_a_tool_of_a_server_that_is_left_alone_can_be_tried(
    as_member: Client, organization: Organization, elsewhere: McpServer
) -> None:
    server = row(organization, elsewhere)
    as_member.post(f"{LIST}/{server.pk}/test")
    for _ in range(health.FAILURES):
        health.failed(server.pk, Code.TIMEOUT, "The server did not answer within 15 seconds.")
    discovery.clear()
    address = f"{LIST}/{server.pk}/tools/{server.tools.get(name='echo').pk}"
    once = as_member.get(address).text.split('name="once" value="')[1].split('"')[0]
    assert "ahoy there" in as_member.post(address, {"argument_0": "ahoy there", "once": once}).text
    assert len(elsewhere.asked("tools/call")) == 1
    assert not RemoteHealth.objects.exists()
