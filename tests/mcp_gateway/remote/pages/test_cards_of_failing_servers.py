"""The card of a server that failed where it was used, for somebody whose sign-in there is in order."""

from django.test import Client

from accounts.caller import Caller
from accounts.models import Organization
from mcp_gateway.remote import health
from mcp_gateway.remote.problems import Code
from tests.factories import RemoteConnectionFactory, RemoteServerFactory


def test_a_server_that_failed_is_shown_so_and_offers_no_sign_in(
    as_member: Client, member: Caller, organization: Organization
) -> None:
    server = RemoteServerFactory(organization=organization, oauth=True)
    RemoteConnectionFactory(server=server, user_id=member.user_id)
    health.failed(server.pk, Code.TIMEOUT, "The server did not answer within 15 seconds.")
    shown = as_member.get("/dashboard/integrations").text.split(f'id="server-{server.pk}"')[1].split("</li>")[0]
    assert "Connection error" in shown
    assert "did not answer within 15 seconds" in shown
    assert ">Connect<" not in shown
