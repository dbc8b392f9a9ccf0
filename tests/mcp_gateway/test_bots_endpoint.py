"""The bots' endpoint as it is served: exactly its fifteen tools, each under attack by its own schema."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.scopes import Scope
from config.endpoints import endpoints
from mcp_gateway.registry import Tool, registry
from tests.bots.factories import BotFactory, GuildFactory, TicketFactory
from tests.mcp_gateway import door
from tests.mcp_gateway.door import Direct
from tests.mcp_gateway.schemas import fitting

SCOPES = {
    "analytics.getActivity": "read",
    "giftCode.generate": "write",
    "giftCode.list": "read",
    "giftCode.revoke": "write",
    "mod.banUser": "write",
    "mod.kickUser": "write",
    "mod.listCases": "read",
    "mod.warnUser": "write",
    "roi.getSnapshot": "read",
    "stats.getBotSummary": "read",
    "stats.getOwnSubscription": "read",
    "ticket.close": "write",
    "ticket.get": "read",
    "ticket.getTranscript": "read",
    "ticket.list": "read",
}
TOOLS = {tool.name: tool for tool in registry.tools("bots")}
GUIDE = Path(django_settings.ROOT) / "docs" / "mcp-server.md"
INTERNAL_ERROR = -32603


@pytest.fixture
def bots(in_this_thread: None, person: User) -> Direct:
    """The platform's own endpoint, with a key that reaches all of it."""
    return Direct(endpoints()[door.PATH], door.api_key(person))


def test_the_endpoint_lists_exactly_its_fifteen_tools_each_with_its_scope(bots: Direct) -> None:
    listed = bots.rpc("tools/list").result["tools"]
    assert {tool["name"]: tool["_meta"]["asterism/scope"] for tool in listed} == SCOPES


def test_every_tool_says_what_it_does_in_words_schemas_and_hints(bots: Direct) -> None:
    for tool in bots.rpc("tools/list").result["tools"]:
        assert tool["title"]
        assert len(tool["description"]) > 20
        assert tool["inputSchema"]["type"] == "object"
        assert tool["inputSchema"]["additionalProperties"] is False
        assert tool["annotations"]["readOnlyHint"] == (SCOPES[tool["name"]] == "read")
        jsonschema.Draft202012Validator.check_schema(tool["inputSchema"])
        jsonschema.Draft202012Validator.check_schema(tool["outputSchema"])


@pytest.mark.parametrize("held", list(Scope))
@pytest.mark.parametrize("name", SCOPES)
def test_a_tool_is_listed_to_and_carried_out_for_the_scopes_that_include_its_own(
    bots: Direct, person: User, name: str, held: Scope
) -> None:
    needed = Scope(SCOPES[name])
    client = Direct(bots.served, door.api_key(person, held))
    listed = {tool["name"] for tool in client.rpc("tools/list").result["tools"]}
    # Without arguments: whoever is let through is told what is missing, and nothing is done.
    answer = client.call(name)
    assert (name in listed) == held.includes(needed)
    if held.includes(needed):
        assert "result" in answer.json
    else:
        assert answer.error["data"]["scope"] == needed.value
        assert needed.value in answer.error["message"]


@pytest.mark.parametrize("name", SCOPES)
def test_whatever_fits_a_tools_schema_is_answered_and_never_with_a_failure_of_ours(
    bots: Direct, person: User, name: str
) -> None:
    ids = ids_of_rows(person, calls_discord=TOOLS[name].calls_out)

    @hypothesis_settings(
        max_examples=30,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(arguments=fitting(TOOLS[name].input_schema), owned=st.booleans())
    def attack(arguments: dict[str, Any], owned: bool) -> None:
        real = {key: value for key, value in ids.items() if key in arguments} if owned else {}
        no_failure_of_ours(bots, name, arguments | real)

    attack()


def ids_of_rows(person: User, *, calls_discord: bool) -> dict[str, str]:
    """Ids of the person's own rows, so that a call gets past "not found"; none for what would go out to Discord."""
    if calls_discord:
        return {}
    bot = BotFactory(owner=person)
    guild = GuildFactory(bot=bot)
    ticket = TicketFactory(guild=guild)
    return {"botId": str(bot.pk), "guildId": str(guild.discord_id), "ticketId": str(ticket.pk)}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("\x00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", SCOPES)
def test_whatever_does_not_fit_a_tools_schema_is_a_fault_of_the_arguments(bots: Direct, name: str) -> None:
    properties = TOOLS[name].input_schema.get("properties", {})

    @hypothesis_settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(arguments=st.dictionaries(st.sampled_from([*properties, "botId", "extra"]), ANYTHING, max_size=4))
    def attack(arguments: dict[str, Any]) -> None:
        no_failure_of_ours(bots, name, arguments)

    attack()


def no_failure_of_ours(bots: Direct, name: str, arguments: dict[str, Any]) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    answer = bots.post(json.dumps(message).encode("utf-8", "replace"))
    assert answer.status == 200
    if "error" in answer.json:
        assert answer.error["code"] != INTERNAL_ERROR, arguments
    elif not answer.result.get("isError"):
        jsonschema.validate(answer.result["structuredContent"], TOOLS[name].output_schema)


def in_the_guide(tool: Tool) -> str:
    first_line = tool.description.splitlines()[0]
    return f"| `{tool.name}` | {tool.scope.value} | {first_line} |"


def test_the_guide_lists_the_tools_as_they_are() -> None:
    section = GUIDE.read_text().split("\n## Tools\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    expected = list(map(in_the_guide, TOOLS.values()))
    assert rows == expected, "docs/mcp-server.md is behind; its table should read:\n" + "\n".join(expected)
