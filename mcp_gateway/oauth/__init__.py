"""Our sign-in: the authorization server that lets MCP clients in, on django-oauth-toolkit."""
