"""What a caller gets from listing and calling tools."""

import pytest
from mcp_types import methods

from accounts.models import User
from accounts.scopes import Scope
from security.models import AuditEntry
from tests.mcp_gateway import door, things
from tests.mcp_gateway.door import Direct


def test_a_bare_message_with_only_the_two_headers_is_answered_in_json(direct: Direct) -> None:
    answer = direct.post(b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}')
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert {tool["name"] for tool in answer.result["tools"]} == things.ALL


@pytest.mark.parametrize("scope", list(Scope))
def test_a_listing_shows_what_the_keys_scope_includes(direct: Direct, person: User, scope: Scope) -> None:
    narrower = Direct(direct.served, door.api_key(person, scope))
    for _ in range(2):  # the second comes from memory
        assert {tool["name"] for tool in narrower.rpc("tools/list").result["tools"]} == things.BY_SCOPE[scope]


def test_a_listed_tool_says_what_it_takes_gives_and_does(direct: Direct) -> None:
    listed = {tool["name"]: tool for tool in direct.rpc("tools/list").result["tools"]}
    rename = listed["thing.rename"]
    assert rename["title"] == "Rename"
    assert rename["description"] == "Change the caller's name."
    assert rename["inputSchema"]["required"] == ["newName"]
    assert rename["outputSchema"]["properties"].keys() == {"userName", "thread"}
    assert rename["annotations"] == {
        "title": "Rename",
        "readOnlyHint": False,
        "destructiveHint": False,
        "idempotentHint": True,
        "openWorldHint": False,
    }
    assert rename["_meta"] == {"asterism/scope": "write"}


def test_names_without_dots_are_listed_on_request_and_always_accepted(direct: Direct) -> None:
    listed = direct.post(b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}', query="names=plain")
    assert "thing_readHot" in {tool["name"] for tool in listed.result["tools"]}
    assert direct.call("thing_readHot").result["structuredContent"]["userName"] == "Ada"
    assert "thing.readHot" in {tool["name"] for tool in direct.rpc("tools/list").result["tools"]}


@pytest.mark.parametrize("tool", ["thing.read", "thing.readHot"])
def test_a_result_comes_as_structure_and_as_text(direct: Direct, tool: str) -> None:
    result = direct.call(tool).result
    assert result["structuredContent"]["userName"] == "Ada"
    assert '"userName":"Ada"' in result["content"][0]["text"]
    assert not result.get("isError")


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", door.MODERN])
def test_a_result_is_written_as_its_revision_has_it(direct: Direct, version: str) -> None:
    meta = {"io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {}}
    params = {"name": "thing.read", "arguments": {}} | ({"_meta": meta} if version == door.MODERN else {})
    headers = {"mcp_method": "tools/call", "mcp_name": "thing.read"} if version == door.MODERN else {}
    result = direct.rpc("tools/call", params, mcp_protocol_version=version, **headers).result
    kept = methods.serialize_server_result("tools/call", version, result)
    assert kept["content"] == result["content"]
    if version == door.MODERN:
        assert kept == result
        assert result["resultType"] == "complete"
        assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "test"
    else:
        assert result.keys() == {"content", "structuredContent", "isError"}


def test_a_tool_may_say_what_its_text_is(direct: Direct) -> None:
    result = direct.call("thing.page").result
    assert result["content"] == [{"type": "text", "text": "<!doctype html><p>a page</p>"}]
    assert result["structuredContent"] == {"html": "<!doctype html><p>a page</p>"}


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("tool", sorted(things.ALL - {"thing.wait", "thing.hold"}))
def test_a_tool_beyond_the_scope_is_an_error_that_names_the_scope(
    direct: Direct, person: User, tool: str, scope: Scope
) -> None:
    arguments = {"newName": "Grace"} if tool == "thing.rename" else {}
    answer = Direct(direct.served, door.api_key(person, scope)).call(tool, **arguments)
    assert answer.status == 200
    if tool in things.BY_SCOPE[scope]:
        assert not answer.result.get("isError")
    else:
        needed = next(least for least in Scope if tool in things.BY_SCOPE[least])
        assert answer.error["code"] == -32003
        assert f"needs the scope {needed.value}" in answer.error["message"]
        assert answer.error["data"]["scope"] == needed.value
        assert AuditEntry.objects.get(tool=tool).error_code == "insufficient_scope"


def test_an_unknown_tool_is_an_error_of_the_protocol(direct: Direct) -> None:
    error = direct.call("thing.nothing").error
    assert error["code"] == -32602
    assert "thing.nothing" in error["message"]


def test_arguments_that_do_not_fit_come_back_with_each_fault_so_that_the_call_can_be_mended(direct: Direct) -> None:
    result = direct.call("thing.rename", newName="", extra=1).result
    assert result["isError"]
    assert "newName: " in result["content"][0]["text"]
    assert "extra: " in result["content"][0]["text"]
    assert result["_meta"]["asterism/error"]["code"] == "invalid_arguments"
    assert "structuredContent" not in result


def test_a_nul_character_in_an_argument_is_a_fault_of_the_arguments(direct: Direct) -> None:
    result = direct.call("thing.rename", newName="a\x00b").result
    assert result["isError"]
    assert "U+0000" in result["content"][0]["text"]


def test_what_the_domain_refuses_comes_back_with_what_to_do_and_changes_nothing(direct: Direct, person: User) -> None:
    result = direct.call("thing.rename", newName="Taken").result
    assert result["isError"]
    assert result["content"][0]["text"] == "This name is taken. Choose another."
    error = result["_meta"]["asterism/error"]
    assert (error["code"], error["data"]) == ("name_taken", {"field": "newName"})
    person.refresh_from_db()
    assert person.name == "Ada"


def test_a_failure_nobody_foresaw_tells_its_request_id_and_nothing_else(
    direct: Direct, person: User, caplog: pytest.LogCaptureFixture
) -> None:
    answer = direct.call("thing.rename", newName="Broken")
    assert answer.status == 200
    assert answer.error["code"] == -32603
    assert answer.error["data"]["requestId"] == answer.headers["x-request-id"]
    assert b"secret detail" not in answer.body
    assert "secret detail" in caplog.text
    person.refresh_from_db()
    assert person.name == "Ada"


def test_a_write_leaves_its_entry_in_its_own_transaction_without_secrets(direct: Direct, person: User) -> None:
    answer = direct.call("thing.rename", newName="Grace", password="hunter2")
    entry = AuditEntry.objects.get(action="mcp.call")
    assert entry.tool == "thing.rename"
    assert entry.outcome == "ok"
    assert entry.user_id == person.pk
    assert entry.api_key_id == person.api_keys.get().pk
    assert entry.door == "mcp"
    assert entry.ip == "127.0.0.1"
    assert entry.request_id == answer.headers["x-request-id"]
    assert entry.duration_ms
    assert entry.detail == {"newName": "Grace", "password": "[REDACTED]"}


@pytest.mark.parametrize(
    ("name", "outcome", "code"), [("Taken", "refused", "name_taken"), ("Broken", "error", "internal")]
)
def test_a_write_that_fails_leaves_an_entry_of_its_failure(direct: Direct, name: str, outcome: str, code: str) -> None:
    direct.call("thing.rename", newName=name)
    entry = AuditEntry.objects.get(action="mcp.call")
    assert (entry.outcome, entry.error_code) == (outcome, code)


def test_a_tool_that_calls_out_is_not_run_inside_a_transaction_of_ours(live: door.Live) -> None:
    from tests.factories import UserFactory

    key = door.api_key(UserFactory())
    body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"thing.ask"}}'
    result = live.post(body, key).json()["result"]["structuredContent"]
    assert result["userName"] == "none"
    assert result["thread"].startswith("domain-wide")
    assert AuditEntry.objects.get(tool="thing.ask").outcome == "ok"
