"""`make bench`."""

from bench import fastmcp_environment, mcp_server

fastmcp_environment.ensure()
mcp_server.main()
