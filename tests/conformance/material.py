"""What the suite's tools, prompts and resources are made of."""

import base64
from typing import Any

import mcp_types as t
from mcp.server.context import ServerRequestContext

Context = ServerRequestContext[Any, Any]

PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c4944415408d763f8cfc00000030101008d1d1b0e0000000049454e44ae426082"
    )
).decode()
SILENCE = base64.b64encode(
    b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0@\x1f\0\0\x01\0\x08\0data\0\0\0\0"
).decode()
NAME = {"type": "string"}


def text_result(text: str) -> t.CallToolResult:
    return t.CallToolResult(content=[t.TextContent(text=text)])


def embedded(uri: str, text: str, mime_type: str) -> t.EmbeddedResource:
    return t.EmbeddedResource(resource=t.TextResourceContents(uri=uri, text=text, mime_type=mime_type))


def form(message: str, **properties: dict[str, Any]) -> t.ElicitRequest:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return t.ElicitRequest(params=t.ElicitRequestFormParams(message=message, requested_schema=schema))


def complete_answer(response: Any) -> bool:
    if isinstance(response, t.ElicitResult):
        return response.action == "accept" and bool(response.content)
    return response is not None
