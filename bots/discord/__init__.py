"""Discord: the REST client, its objects, the rules of permissions and roles, and a sandbox that speaks the same API."""
