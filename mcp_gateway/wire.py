"""JSON-RPC on the wire: reading a body strictly, writing answers, and the errors added to the protocol's."""

from typing import Any

import pydantic_core
from mcp_types import INTERNAL_ERROR, INVALID_REQUEST, PARSE_ERROR, ErrorData, RequestId

# JSON-RPC leaves -32000 to -32099 to servers; the protocol's revisions take -32001 and those from -32020 on.
REFUSED = -32000
FORBIDDEN = -32003

JSON = [(b"content-type", b"application/json")]


class Unreadable(Exception):  # noqa: N818 - the client's fault, answered
    """The body is not one JSON-RPC message; carries the error to answer with, and to which id."""

    def __init__(self, code: int, message: str, request_id: RequestId | None = None) -> None:
        super().__init__(message)
        self.error = ErrorData(code=code, message=message)
        self.request_id = request_id


def read(body: bytes) -> dict[str, Any]:
    """The one JSON-RPC message in `body`: UTF-8, no NaN, nested at most 200 deep, numbers of at most 4,300 digits."""
    try:
        message = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Unreadable(PARSE_ERROR, f"The body is not JSON: {error}.") from None
    if isinstance(message, list):
        raise Unreadable(INVALID_REQUEST, "The body is a batch. Send each request in a POST of its own.")
    if not isinstance(message, dict):
        raise Unreadable(INVALID_REQUEST, "The body is not an object with jsonrpc, id and method.")
    request_id = message.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, int | str):
        request_id = None
    if message.get("jsonrpc") != "2.0":
        raise Unreadable(INVALID_REQUEST, 'The member "jsonrpc" is not "2.0".', request_id)
    if "id" in message and request_id is None:
        raise Unreadable(INVALID_REQUEST, 'The member "id" is neither a string nor a whole number.')
    if "method" not in message and request_id is not None and ("result" in message or "error" in message):
        return message
    if not isinstance(message.get("method"), str):
        raise Unreadable(INVALID_REQUEST, 'The member "method" is missing or not a string.', request_id)
    if not isinstance(message.get("params", {}), dict):
        raise Unreadable(INVALID_REQUEST, 'The member "params" is not an object.', request_id)
    return message


def result(request_id: RequestId, value: dict[str, Any] | bytes) -> bytes:
    """The answer with this result, which may be JSON already."""
    written = value if isinstance(value, bytes) else pydantic_core.to_json(value)
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (pydantic_core.to_json(request_id), written)


def error(request_id: RequestId | None, value: ErrorData) -> bytes:
    return pydantic_core.to_json(
        {"jsonrpc": "2.0", "id": request_id, "error": value.model_dump(mode="json", exclude_none=True)}
    )


def notification(method: str, params: dict[str, Any]) -> bytes:
    return pydantic_core.to_json({"jsonrpc": "2.0", "method": method, "params": params})


def internal_error(request_id: str) -> ErrorData:
    """What a client is told of a failure nobody foresaw: where to look, and nothing of what happened."""
    return ErrorData(
        code=INTERNAL_ERROR,
        message=f"Something failed on our side. It is in the log under the request id {request_id}.",
        data={"code": "internal", "requestId": request_id},
    )
