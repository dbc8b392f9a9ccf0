"""What the protocol's conformance suite calls: tools in a registry of their own; what it reads is `offers`.

Plain tools are declared as products declare theirs. The rest is put on the endpoint's server by its own handlers, so
that every request still comes in by our admission, exchange and error mapping.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as t
from django.core import signing
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel

from accounts.caller import Caller
from accounts.errors import Conflict
from accounts.scopes import Scope
from mcp_gateway.progress import Progress
from mcp_gateway.registry import Function, Registry
from tests.conformance import offers
from tests.conformance.material import NAME, PIXEL, SILENCE, Context, complete_answer, embedded, form, text_result

Answer = t.CallToolResult | t.InputRequiredResult
Special = Callable[[Context, t.CallToolRequestParams], Awaitable[Answer]]

# What the suite's own tools wait between two messages, so that they arrive one by one.
PAUSE_SECONDS = 0.05

registry = Registry()


class Nothing(BaseModel):
    pass


class Said(BaseModel):
    text: str


def _tool(name: str) -> Callable[[Function], Function]:
    return registry.tool(
        name, server="conformance", scope=Scope.READ, title=name, read_only=True, text=lambda said: str(said.text)
    )


@_tool("test_simple_text")
def simple_text(caller: Caller, arguments: Nothing) -> Said:
    """Answer with a line of text."""
    return Said(text="This is a simple text response for testing.")


@_tool("test_error_handling")
def error_handling(caller: Caller, arguments: Nothing) -> Said:
    """Fail, always."""
    raise Conflict("This tool intentionally returns an error for testing")


@_tool("test_tool_with_progress")
async def with_progress(caller: Caller, arguments: Nothing, progress: Progress) -> Said:
    """Report 0, 50 and 100 of 100."""
    for done in (0, 50, 100):
        progress(done, 100)
        await asyncio.sleep(PAUSE_SECONDS)
    return Said(text="Done.")


def _fixed(*content: t.ContentBlock) -> Special:
    async def call(ctx: Context, params: t.CallToolRequestParams) -> Answer:
        return t.CallToolResult(content=list(content))

    return call


async def with_logging(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message("info", line, related_request_id=ctx.request_id)
        await asyncio.sleep(PAUSE_SECONDS)
    return text_result("Logged.")


async def needs_sampling(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    capabilities = ctx.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        needed: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(t.MISSING_REQUIRED_CLIENT_CAPABILITY, "This tool needs the client to sample", needed)
    return text_result("The client can sample.")


def _sample(text: str, most: int) -> t.CreateMessageRequest:
    message = t.SamplingMessage(role="user", content=t.TextContent(text=text))
    return t.CreateMessageRequest(params=t.CreateMessageRequestParams(messages=[message], max_tokens=most))


def _asks(requests: dict[str, Any], answer: str, *, state: str | None = None) -> Special:
    """A tool that asks for all of `requests` first, under a sealed state if it has one."""

    async def call(ctx: Context, params: t.CallToolRequestParams) -> Answer:
        if params.request_state is not None and _opened(params.request_state) != state:
            raise MCPError(t.INVALID_PARAMS, "The request state was altered")
        given = params.input_responses or {}
        if not all(complete_answer(given.get(key)) for key in requests):
            sealed = signing.dumps(state) if state else None
            return t.InputRequiredResult(input_requests=requests, request_state=sealed)
        words = " ".join(json.dumps(given[key].model_dump(mode="json", by_alias=True)) for key in requests)
        return text_result(f"{answer} {words}")

    return call


def _opened(sealed: str) -> Any:
    try:
        return signing.loads(sealed)
    except signing.BadSignature:
        raise MCPError(t.INVALID_PARAMS, "The request state was altered") from None


async def multi_round(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    state = _opened(params.request_state) if params.request_state is not None else 0
    if state == 0:
        asked = {"step1": form("Step 1: What is your name?", name=NAME)}
        return t.InputRequiredResult(input_requests=asked, request_state=signing.dumps(1))
    if state == 1:
        asked = {"step2": form("Step 2: What is your favorite color?", color=NAME)}
        return t.InputRequiredResult(input_requests=asked, request_state=signing.dumps(2))
    return text_result("All rounds are done.")


async def by_capabilities(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    capabilities = ctx.session.client_capabilities or t.ClientCapabilities()
    asked: dict[str, Any] = {}
    if capabilities.sampling is not None:
        asked["question"] = _sample("What is the capital of France?", 100)
    if capabilities.elicitation is not None:
        asked["user_name"] = form("What is your name?", name=NAME)
    return t.InputRequiredResult(input_requests=asked, request_state=signing.dumps("asked"))


SPECIAL: dict[str, Special] = {
    "test_image_content": _fixed(t.ImageContent(data=PIXEL, mime_type="image/png")),
    "test_audio_content": _fixed(t.AudioContent(data=SILENCE, mime_type="audio/wav")),
    "test_embedded_resource": _fixed(
        embedded("test://embedded-resource", "This is an embedded resource content.", "text/plain")
    ),
    "test_multiple_content_types": _fixed(
        t.TextContent(text="Multiple content types test:"),
        t.ImageContent(data=PIXEL, mime_type="image/png"),
        embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
    ),
    "test_tool_with_logging": with_logging,
    "test_logging_tool": with_logging,
    "test_missing_capability": needs_sampling,
    "test_streaming_elicitation": _asks({"user_name": form("What is your name?", name=NAME)}, "Hello,"),
    "test_input_required_result_elicitation": _asks({"user_name": form("What is your name?", name=NAME)}, "Hello,"),
    "test_input_required_result_sampling": _asks(
        {"capital_question": _sample("What is the capital of France?", 100)}, "The model said"
    ),
    "test_input_required_result_list_roots": _asks({"client_roots": t.ListRootsRequest()}, "The roots are"),
    "test_input_required_result_request_state": _asks(
        {"confirm": form("Please confirm", ok={"type": "boolean"})}, "state-ok", state="confirm"
    ),
    "test_input_required_result_multiple_inputs": _asks(
        {
            "user_name": form("What is your name?", name=NAME),
            "greeting": _sample("Generate a greeting", 50),
            "client_roots": t.ListRootsRequest(),
        },
        "All given:",
        state="several",
    ),
    "test_input_required_result_multi_round": multi_round,
    "test_input_required_result_tampered_state": _asks(
        {"confirm": form("Please confirm", ok={"type": "boolean"})}, "state-ok", state="sealed"
    ),
    "test_input_required_result_capabilities": by_capabilities,
}


def extend(server: Server[Any]) -> None:
    """Put the suite's special tools, prompts, resources and completions on a server that has our tools already."""
    listed, called = (server.get_request_handler(method) for method in ("tools/list", "tools/call"))
    assert listed is not None
    assert called is not None

    async def list_tools(ctx: Context, params: t.PaginatedRequestParams) -> t.ListToolsResult:
        ours: t.ListToolsResult = await listed.handler(ctx, params)  # type: ignore[assignment]
        special = [t.Tool(name=name, description=name, input_schema={"type": "object"}) for name in sorted(SPECIAL)]
        return t.ListToolsResult(tools=[*ours.tools, *special])

    async def call_tool(ctx: Context, params: t.CallToolRequestParams) -> Any:
        special = SPECIAL.get(params.name)
        return await (special(ctx, params) if special else called.handler(ctx, params))

    server.add_request_handler("tools/list", t.PaginatedRequestParams, list_tools)
    server.add_request_handler("tools/call", t.CallToolRequestParams, call_tool)
    server.add_request_handler("resources/list", t.PaginatedRequestParams, offers.list_resources)
    server.add_request_handler("resources/templates/list", t.PaginatedRequestParams, offers.list_templates)
    server.add_request_handler("resources/read", t.ReadResourceRequestParams, offers.read_resource)
    server.add_request_handler("resources/subscribe", t.SubscribeRequestParams, offers.accept)
    server.add_request_handler("resources/unsubscribe", t.UnsubscribeRequestParams, offers.accept)
    server.add_request_handler("logging/setLevel", t.SetLevelRequestParams, offers.accept)
    server.add_request_handler("prompts/list", t.PaginatedRequestParams, offers.list_prompts)
    server.add_request_handler("prompts/get", t.GetPromptRequestParams, offers.get_prompt)
    server.add_request_handler("completion/complete", t.CompleteRequestParams, offers.complete)
