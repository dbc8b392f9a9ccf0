"""The other direction of the protocol: remote MCP servers, connected to for people and for what acts for them."""
