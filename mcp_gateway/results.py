"""What a client is shown of tools, results and failures, in the protocol's own types."""

from typing import Any

import pydantic_core
from mcp_types import SERVER_INFO_META_KEY, CallToolResult, TextContent, ToolAnnotations
from mcp_types import Tool as ListedTool
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel, ValidationError

from accounts.errors import DomainError
from mcp_gateway.registry import BARE, Tool
from security import request_id

# An error's code and data travel in `_meta`: structured content has to fit the tool's output schema, also in an error.
ERROR_META = "asterism/error"
# A model fixes a call from the first few faults; the rest follow from them.
MOST_FAULTS = 8


def listed(tool: Tool, *, plain_name: bool) -> ListedTool:
    return ListedTool(
        name=tool.plain_name if plain_name else tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.read_only,
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent or tool.read_only,
            open_world_hint=tool.open_world,
        ),
        _meta={"asterism/scope": tool.scope.value},
    )


def written(tool: Tool, result: BaseModel, envelope: bytes) -> bytes:
    """The result of a call as it is sent, written once: as structure, and as text for clients that read only text.

    The text is the same JSON, or what the tool gives for it. `envelope` holds the members that the revision adds.
    """
    structure = result.model_dump_json(by_alias=True)
    text = pydantic_core.to_json(tool.text(result) if tool.text else structure)
    if tool.gives_bare:
        structure = f'{{"{BARE}":{structure}}}'
    return b'{"content":[{"type":"text","text":%b}],"structuredContent":%b,"isError":false%b}' % (
        text,
        structure.encode(),
        envelope,
    )


def envelope(protocol_version: str, server_info: dict[str, Any]) -> bytes:
    """What 2026-07-28 has in every result, after its own members; nothing before it."""
    if protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return b""
    added = {"resultType": "complete", "_meta": {SERVER_INFO_META_KEY: server_info}}
    return b"," + pydantic_core.to_json(added)[1:-1]


def failed(error: DomainError) -> CallToolResult:
    """A failure that the caller can act on: the message says how."""
    return _error(error.message, error.code, error.data)


def unfit(tool: Tool, error: ValidationError) -> CallToolResult:
    """Arguments that do not validate: each fault by its path, so that the model can fix its call."""
    faults = [
        {"path": ".".join(map(str, fault["loc"])), "fault": fault["msg"]}
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    shown = "; ".join(
        f"{fault['path']}: {fault['fault']}" if fault["path"] else fault["fault"] for fault in faults[:MOST_FAULTS]
    )
    return _error(
        f"The arguments of {tool.name} do not fit. {shown}. Fix them and call again.",
        "invalid_arguments",
        {"faults": faults[:MOST_FAULTS]},
    )


def nul_inside(tool: Tool) -> CallToolResult:
    return _error(
        f"The arguments of {tool.name} contain the character U+0000, which no text here can hold. Leave it out.",
        "invalid_arguments",
        {},
    )


def _error(message: str, code: str, data: dict[str, object]) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(text=message)],
        is_error=True,
        _meta={ERROR_META: {"code": code, "data": data, "requestId": request_id.current()}},
    )
