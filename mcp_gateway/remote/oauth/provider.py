"""A provider as a connection remembers it: its endpoints and the client we are to it. Plain JSON, kept sealed."""

from typing import Literal, NotRequired, TypedDict

# How a client proves itself at the token endpoint (RFC 7591 section 2), best first. Others need keys we do not have.
AuthMethod = Literal["client_secret_basic", "client_secret_post", "none"]


class Client(TypedDict):
    client_id: str
    client_secret: NotRequired[str]
    auth_method: AuthMethod
    # Whether the provider does not say how it wants to be shown the secret.
    method_assumed: NotRequired[bool]


class Provider(TypedDict):
    """All that asking for tokens needs. Addresses are the provider's words, so the guard judges each use of them."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: NotRequired[str]
    # Whether it promised to name itself in its answers (RFC 9207 section 3).
    names_itself: NotRequired[bool]
    # What tokens are to be good for (RFC 8707): the MCP server, as it calls itself.
    resource: str
    # As asked for, separated by spaces.
    scope: NotRequired[str]
    client: Client
