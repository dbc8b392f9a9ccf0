"""Discord bots: tickets, moderation, gift codes, activity and return on investment, and their MCP tools."""
