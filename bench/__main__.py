"""`make bench`."""

from bench import calling, chatting, claiming, fastmcp_environment, listing, mcp_server, running, wanted, watching

fastmcp_environment.ensure()
mcp_server.main()
calling.main()
claiming.main()
running.main()
watching.main()
listing.main()
chatting.main()
if missed := wanted.missed():
    raise SystemExit("\n".join(["", "Missed:", *missed]))
print("\nEvery figure that is wanted was held.")
