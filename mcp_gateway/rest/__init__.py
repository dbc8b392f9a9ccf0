"""The REST door: HTTP routes over the tools that MCP clients call, with the same arguments, rules and results."""
