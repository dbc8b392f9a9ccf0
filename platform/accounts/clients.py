"""How MCP clients are told of the bots' server: the text to paste, with the real address and, where known, the key."""

import json
from dataclasses import dataclass

from django.conf import settings

PATH = "/api/mcp-server"
NO_KEY = "wiz_your_key"


@dataclass(frozen=True, slots=True)
class ClientSetup:
    """Where one client is told of the server, and the text that tells it."""

    slug: str
    name: str
    where: str
    file: str
    text: str


def client_setups(key: str = NO_KEY) -> tuple[ClientSetup, ...]:
    url = settings.PUBLIC_URL + PATH
    authorization = f"Bearer {key}"
    headers = {"Authorization": authorization}
    first_call = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
    return (
        ClientSetup(
            "claude-desktop",
            "Claude Desktop",
            "Paste into claude_desktop_config.json (Settings, Developer, Edit config), then restart Claude Desktop.",
            "claude_desktop_config.json",
            _json({"mcpServers": {"asterism": {"transport": "streamable-http", "url": url, "headers": headers}}}),
        ),
        ClientSetup(
            "claude-code",
            "Claude Code",
            "Run once in a terminal.",
            "Terminal",
            f'claude mcp add --transport http asterism {url} --header "Authorization: {authorization}"',
        ),
        ClientSetup(
            "cursor",
            "Cursor",
            "Paste into .cursor/mcp.json of a project, or ~/.cursor/mcp.json for all of them.",
            ".cursor/mcp.json",
            _json({"mcpServers": {"asterism": {"url": url, "headers": headers}}}),
        ),
        ClientSetup(
            "curl",
            "curl",
            "Lists the tools that the key opens.",
            "Terminal",
            f"curl {url} \\\n"
            f"  -H 'Authorization: {authorization}' \\\n"
            f"  -H 'Content-Type: application/json' \\\n"
            f"  -d '{first_call}'",
        ),
    )


def _json(value: object) -> str:
    return json.dumps(value, indent=2)
