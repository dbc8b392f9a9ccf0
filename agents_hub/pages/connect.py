"""How MCP clients are connected: what to run or paste, with this platform's own address in it."""

import json
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

NAME = "asterism"


@dataclass(frozen=True, slots=True)
class Client:
    slug: str
    name: str
    before: str
    caption: str
    text: str
    after: str


@require_safe
@login_required
def connect(request: HttpRequest) -> HttpResponse:
    address = f"{settings.PUBLIC_URL}/mcp"
    return render(request, "agents_hub/connect.html", {"address": address, "clients": clients(address)})


def clients(address: str) -> list[Client]:
    return [
        Client(
            "claude-code",
            "Claude Code",
            "Run once in a terminal:",
            "Terminal",
            f"claude mcp add --transport http {NAME} {address}",
            f"Then type /mcp in Claude Code, choose {NAME} and Authenticate.",
        ),
        Client(
            "cursor",
            "Cursor",
            "Paste into .cursor/mcp.json of a project, or ~/.cursor/mcp.json for all of them:",
            "mcp.json",
            _json({"url": address}),
            "Cursor then shows Needs login beside the server; click it.",
        ),
        Client(
            "claude-desktop",
            "Claude Desktop",
            "Under Settings, Connectors, Add custom connector, give the address. For a platform that the internet does "
            "not reach, paste this under Settings, Developer, Edit config (needs Node 18 or newer):",
            "claude_desktop_config.json",
            _json({"command": "npx", "args": ["-y", "mcp-remote", address]}),
            "Start Claude Desktop again; the browser opens for the sign-in.",
        ),
    ]


def _json(server: dict[str, object]) -> str:
    return json.dumps({"mcpServers": {NAME: server}}, indent=2)
