"""What the pages of remote servers say the same way everywhere."""

from django import template

from mcp_gateway.models import RemoteCall, RemoteTool
from mcp_gateway.remote.pages.help import address
from security.visible import visible

register = template.Library()
register.filter("help_address", address)

OUTCOMES = {RemoteCall.Outcome.OK: "ok", RemoteCall.Outcome.TOOL_ERROR: "warn", RemoteCall.Outcome.FAILED: "error"}


@register.filter
def said(tool: RemoteTool) -> str:
    """What the server says of the tool in a list: its description, else its title."""
    return visible(str(tool.definition.get("description") or tool.definition.get("title") or ""))


@register.filter
def outcome_meaning(outcome: str) -> str:
    return OUTCOMES.get(RemoteCall.Outcome(outcome), "")


@register.filter
def milliseconds(value: float | None) -> str:
    """A time as it is told: 48 ms, 1.2 s; a dash where nothing was measured."""
    if value is None:
        return "\u2013"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:,.1f} s"
