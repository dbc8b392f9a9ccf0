"""A client of the workflow product's MCP server, signed in as a coding assistant is."""

import json
from typing import Any

from django.test import Client

from accounts.models import User
from mcp_gateway.asgi import Endpoint
from mcp_gateway.oauth.entrance import TokenEntrance
from tests.mcp_gateway import door
from tests.mcp_gateway.door import Direct
from tests.mcp_gateway.oauth.flow import Flow, register
from tests.pages import signed_in


class Assistant:
    """An MCP client: it registers, has the person sign it in, and knows nothing but the tools."""

    def __init__(self, person: User) -> None:
        browser = signed_in(person)
        served = Endpoint(door.IDENTITY, tools="platform", entrance=TokenEntrance("/mcp"), per_minute=0)
        self.refused = Direct(served).rpc("tools/list").status
        token = Flow(browser, register(Client()).json()["client_id"]).tokens()["access_token"]
        self.direct = Direct(served, token)

    def tools(self) -> list[str]:
        return [tool["name"] for tool in self.direct.rpc("tools/list").result["tools"]]

    def ask(self, tool: str, **arguments: Any) -> Any:
        """What the tool gives, as text that is JSON; a tool that fails fails the test."""
        result = self.direct.call(tool, **arguments).result
        assert not result.get("isError"), result
        return json.loads(result["content"][0]["text"])
