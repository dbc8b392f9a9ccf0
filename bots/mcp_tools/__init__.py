"""The tools of the bots' MCP server, one module a subject. Importing the package declares them all."""

from bots.mcp_tools import activity, gift_codes, moderation, stats, tickets

__all__ = ["activity", "gift_codes", "moderation", "stats", "tickets"]
