"""The tools of agents, profiles, pools and files; importing them registers them."""

from agents_hub.mcp_tools import agents, capabilities, files, pools, profiles

__all__ = ["agents", "capabilities", "files", "pools", "profiles"]
