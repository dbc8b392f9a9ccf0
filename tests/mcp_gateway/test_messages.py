"""What is answered to bodies that are no message, or no message we can do anything with."""

import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.mcp_gateway.door import MODERN, Direct

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602

NOT_JSON = [
    b"",
    b"{",
    b"nonsense",
    b'{"jsonrpc":"2.0","id":1,"method":"ping"',
    b"\xff\xfe{}",
    '{"jsonrpc":"2.0","id":1,"method":"ping"}'.encode("utf-16"),
    b'{"jsonrpc":"2.0","id":1,"method":"\xc3\x28"}',
    b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"jsonrpc":"2.0","id":' + b"9" * 10_000 + b"}",
    b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping"} {"jsonrpc":"2.0","id":2,"method":"ping"}',
]
NOT_A_MESSAGE = [
    b"null",
    b"1",
    b'"ping"',
    b"[]",
    b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
    b"{}",
    b'{"id":1,"method":"ping"}',
    b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1}',
    b'{"jsonrpc":"2.0","id":1,"method":5}',
    b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":true,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":{},"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}',
]


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:24]))
def test_what_is_not_json_is_a_parse_error_in_http_200(direct: Direct, body: bytes) -> None:
    answer = direct.post(body)
    assert (answer.status, answer.error["code"], answer.json["id"]) == (200, PARSE_ERROR, None)


@pytest.mark.parametrize("body", NOT_A_MESSAGE, ids=lambda body: repr(body[:40]))
def test_json_that_is_no_message_is_an_invalid_request_in_http_200(direct: Direct, body: bytes) -> None:
    answer = direct.post(body)
    assert (answer.status, answer.error["code"]) == (200, INVALID_REQUEST)


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_who_names_the_newer_revision_gets_its_status(direct: Direct, body: bytes) -> None:
    assert direct.post(body, mcp_protocol_version=MODERN).status == 400


def test_a_batch_is_told_to_come_one_by_one(direct: Direct) -> None:
    assert "POST of its own" in direct.post(b"[]").error["message"]


def test_an_error_goes_back_under_the_requests_own_id(direct: Direct) -> None:
    assert direct.post(b'{"jsonrpc":"2.0","id":"seven","method":5}').json["id"] == "seven"
    assert direct.post(b'{"jsonrpc":"2.0","id":"seven","method":"no/such"}').json["id"] == "seven"


def test_an_unknown_method_is_an_error_in_http_200_and_404_in_the_newer_revision(direct: Direct) -> None:
    answer = direct.rpc("no/such")
    assert (answer.status, answer.error["code"]) == (200, METHOD_NOT_FOUND)
    meta = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
    newer = direct.rpc("no/such", {"_meta": meta}, mcp_protocol_version=MODERN, mcp_method="no/such")
    assert (newer.status, newer.error["code"]) == (404, METHOD_NOT_FOUND)


@pytest.mark.parametrize(
    "params", [{}, {"name": 5}, {"name": "thing.read", "arguments": []}, {"name": "thing.read", "arguments": "x"}]
)
def test_a_call_without_its_name_or_with_arguments_that_are_no_object_has_invalid_params(
    direct: Direct, params: dict[str, object]
) -> None:
    answer = direct.rpc("tools/call", params)
    assert (answer.status, answer.error["code"]) == (200, INVALID_PARAMS)


def test_a_cursor_into_the_one_page_of_tools_is_refused(direct: Direct) -> None:
    assert direct.rpc("tools/list", {"cursor": "x"}).error["code"] == INVALID_PARAMS


@pytest.mark.parametrize("method", ["notifications/initialized", "notifications/cancelled", "notifications/no-such"])
def test_a_notification_is_accepted_without_an_answer(direct: Direct, method: str) -> None:
    answer = direct.post(json.dumps({"jsonrpc": "2.0", "method": method}).encode())
    assert (answer.status, answer.body) == (202, b"")


def test_a_posted_response_is_accepted_without_an_answer(direct: Direct) -> None:
    assert direct.post(b'{"jsonrpc":"2.0","id":1,"result":{}}').status == 202


def test_a_huge_number_in_the_arguments_is_a_fault_of_the_arguments(direct: Direct) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"thing.rename","arguments":{"newName":%b}}}'
    for number in (b"9" * 4_000, b"1e999", b"-1e999"):
        assert direct.post(body % number).result["isError"]


def test_initialize_agrees_on_a_revision_and_introduces_the_server(direct: Direct) -> None:
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    result = direct.rpc("initialize", hello).result
    assert result["protocolVersion"] == "2025-06-18"
    assert result["serverInfo"] == {"name": "test", "title": "Test", "version": "1"}
    assert result["instructions"] == "For tests."
    assert result["capabilities"]["tools"] == {"listChanged": False}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
METHODS = st.sampled_from(["tools/call", "tools/list", "initialize", "ping", "prompts/get", "x"]) | st.text(max_size=10)


MESSAGES = st.fixed_dictionaries(
    {}, optional={"jsonrpc": st.just("2.0"), "id": JSON, "method": METHODS, "params": JSON}
)


@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(message=MESSAGES)
def test_whatever_is_sent_is_answered_and_never_with_a_failure_of_ours(direct: Direct, message: object) -> None:
    answer = direct.post(json.dumps(message).encode("utf-8", "replace"))
    assert answer.status in {200, 202}
    if answer.status == 200 and "error" in answer.json:
        assert answer.error["code"] != -32603
