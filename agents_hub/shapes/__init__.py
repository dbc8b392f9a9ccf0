"""What agents, profiles and pools look like on the wire, for MCP and REST alike."""
