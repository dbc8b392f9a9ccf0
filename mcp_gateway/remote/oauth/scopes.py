"""Which scopes a sign-in asks for: what an admin set, else what the server wants, else what it offers."""

from mcp_gateway.models import RemoteServer
from mcp_gateway.remote.oauth.discovery import Discovery

# What OpenID calls the right to refresh tokens; some give none without it.
OFFLINE = "offline_access"


def to_ask_for(server: RemoteServer, found: Discovery, *, before: str = "", wider: str = "") -> str:
    """The scopes, separated by spaces; empty where nobody says any, which leaves it to the provider.

    With `wider`, which a call was refused for, what was asked `before` is asked for again: a new grant replaces the
    old one.
    """
    chosen = server.scopes.split() or found.challenge.scope.split() or list(found.resource.scopes or ())
    if wider:
        chosen += [*before.split(), *wider.split()]
    if chosen and not server.scopes and OFFLINE in found.authority.scopes:
        chosen.append(OFFLINE)
    return " ".join(dict.fromkeys(chosen))
