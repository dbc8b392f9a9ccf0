"""What the guide for programs shows is what happens: its programs run, and its table of events is complete."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.scopes import Scope
from agents_hub.models import Agent, ToolUse, TurnEvent
from mcp_gateway.models import RemoteTool
from tests.agents_hub.chat.rest import SECONDS, platform_port
from tests.agents_hub.chat.talks import remote_name
from tests.agents_hub.factories import member_of
from tests.factories import make_key
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import ModelProvider, Reply
from tests.mcp_gateway.remote.elsewhere import row

pytestmark = pytest.mark.django_db(transaction=True)
GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "chat-api.md").read_text()


@pytest.fixture
def port(agent: Agent) -> Iterator[int]:
    with platform_port() as served:
        yield served


@pytest.fixture
def environment(agent: Agent, port: int) -> dict[str, str]:
    _, key = make_key(member_of(agent.organization), Scope.WRITE)
    return {**os.environ, "KEY": key, "ASTERISM_URL": f"http://127.0.0.1:{port}"}


def test_the_program_in_the_guide_shows_an_answer_and_asks_before_a_call(
    agent: Agent, model: ModelProvider, server: McpServer, environment: dict[str, str]
) -> None:
    printer = row(agent.organization, server, slug="printer")
    agent.agent_servers.create(server=printer)
    definition = {"name": "echo", "inputSchema": {"type": "object"}}
    RemoteTool.objects.create(server=printer, name="echo", definition=definition, digest="0" * 64, ask_first=True)
    model.answers += [Reply(pieces=(), calls=((remote_name(printer, "echo"), '{"text": "ink"}'),)), Reply()]
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    ran = subprocess.run(
        [sys.executable, "-c", program, "Helper", "Print ink"],
        env=environment,
        input="y\n",
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert ran.stdout.endswith("Hello there.\n")
    assert f"[{printer.name}: Say again done]" in ran.stdout
    assert ToolUse.objects.get().status == ToolUse.Status.DONE
    kinds = set(TurnEvent.objects.values_list("kind", flat=True))
    assert {"tool", "inquiry", "inquired"} <= kinds
    assert kinds <= set(re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE))


def test_the_commands_in_the_guide_ask_an_agent(agent: Agent, environment: dict[str, str]) -> None:
    commands = re.search(r"```sh\n(curl 'http.*?)```", GUIDE, re.DOTALL)
    assert commands is not None
    script = commands[1].replace("http://127.0.0.1:8000", environment["ASTERISM_URL"]).replace("0199…", str(agent.pk))
    ran = subprocess.run(
        ["sh", "-c", script.replace("curl ", "curl --silent --fail ")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert '"Helper"' in ran.stdout
    assert '"turnId"' in ran.stdout
