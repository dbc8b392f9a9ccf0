"""`make bench`."""

from bench import calling, chatting, claiming, fastmcp_environment, mcp_server, running

fastmcp_environment.ensure()
mcp_server.main()
calling.main()
claiming.main()
running.main()
chatting.main()
