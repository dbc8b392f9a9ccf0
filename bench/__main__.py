"""`make bench`."""

from bench import claiming, fastmcp_environment, mcp_server

fastmcp_environment.ensure()
mcp_server.main()
claiming.main()
