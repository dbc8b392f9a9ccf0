"""The library's client session, with what it does not do or should not."""

from collections.abc import Iterable
from typing import Any

from mcp.client.session import ClientSession
from mcp.shared.dispatcher import CallOptions
from mcp_types import CallToolResult, ListToolsResult, Tool


class Session(ClientSession):
    async def validate_tool_result(self, name: str, result: CallToolResult) -> None:
        """Results are not checked against the tool's schema.

        It comes from the other side, and checking may take for ever (a `pattern` is a regular expression). It would
        also turn a result that a caller can use into an error.
        """

    async def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """The raw result of a request that the library has no verb for."""
        message = {"method": method, "params": params}
        options: CallOptions = {}
        self._stamp(message, options)
        return await self._dispatcher.send_raw_request(method, params, options)

    def expect(self, tools: Iterable[Tool]) -> None:
        """Know tools that this session did not list: some of their arguments travel in headers."""
        self._absorb_tool_listing(ListToolsResult(tools=list(tools), ttl_ms=0, cache_scope="private"), complete=True)
