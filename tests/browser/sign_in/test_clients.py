"""Clients of others sign in from nothing: a 401, the way from there, a person in a real browser, tokens, tools."""

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from mcp_gateway.models import Application, Connection
from tests.browser.sign_in.clients import SECONDS, KitsClient, address_in, listening, program, sign_in_and_agree
from tests.conformance.node import installed
from tests.mcp_gateway.oauth.running import Platform

REMOTE = "mcp-remote@0.15.1"
SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"

pytestmark = pytest.mark.faults


def test_the_kits_client_signs_in_from_nothing_and_calls_a_tool(served: Platform, person: User, page: Page) -> None:
    with listening() as (redirect, came):
        client = KitsClient(served.mcp, redirect, came)
        client.start()
        sign_in_and_agree(page, client.wants_visited.get(timeout=SECONDS), person)
        expect(page.get_by_role("heading", level=1)).to_have_text("Back at the client")
        client.join(SECONDS)
    assert client.failure is None
    assert {"getContext", "searchDocs", "schemaValidate"} <= set(client.tools)
    assert client.context["email"] == person.email
    assert client.memory.tokens is not None
    assert client.memory.tokens.refresh_token
    assert Connection.objects.get().application.name == "The kit"


def test_mcp_remote_signs_in_from_nothing_and_calls_a_tool(
    served: Platform, person: User, page: Page, tmp_path: Path
) -> None:
    command = installed(REMOTE, "mcp-remote", "a sign-in by mcp-remote")
    environment = {
        **os.environ,
        "MCP_REMOTE_CONFIG_DIR": str(tmp_path / "remote"),
        "BROWSER": "true",
        "PATH": "/nowhere",
    }
    with program([*command, served.mcp], environment) as remote:
        sign_in_and_agree(page, address_in(remote.errors), person)
        ask = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        remote.send({"id": 1, "method": "initialize", "params": ask})
        assert remote.answer()["serverInfo"]["name"] == "asterism"
        remote.send({"method": "notifications/initialized"})
        remote.send({"id": 2, "method": "tools/call", "params": {"name": "getContext", "arguments": {}}})
        context = remote.answer()["structuredContent"]
    assert [one["name"] for one in context["organizations"]] == ["Harbour Lights"]


def test_the_protocols_suite_is_content_with_the_authorization_server(
    served: Platform, person: User, page: Page, tmp_path: Path
) -> None:
    command = installed(SUITE, "conformance", "the protocol's suite against our authorization server")
    with listening() as (free, _):
        port = urlsplit(free).port
    application = Application.objects.create(
        name="The suite", client_type="public", redirect_uris="http://127.0.0.1/callback"
    )
    asked = [
        "--client-id",
        application.client_id,
        "--resource",
        served.mcp,
        "-p",
        str(port),
        "-o",
        str(tmp_path / "told"),
    ]
    with program([*command, "authorization", "--url", served.url, *asked], dict(os.environ)) as suite:
        sign_in_and_agree(page, address_in(suite.output), person)
        suite.process.wait(SECONDS)
    told = "\n".join(suite.output.queue)
    checks = [check for path in (tmp_path / "told").rglob("checks.json") for check in json.loads(path.read_text())]
    statuses = {check["id"]: check["status"] for check in checks}
    assert suite.process.returncode == 0, told
    assert set(statuses.values()) == {"SUCCESS"}, told
    assert {"authorization-server-metadata", "authorization-server-metadata-cimd"} < set(statuses), told
