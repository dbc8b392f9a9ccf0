"""What there is to choose for a server, each choice with what it means."""

from mcp_gateway.models import AuthType, ClientMode, Transport


class Explained(str):
    """A choice's words, with what it means in `help`."""

    help: str

    def __new__(cls, word: str, help_text: str = "") -> "Explained":
        self = super().__new__(cls, word)
        self.help = help_text
        return self


TRANSPORTS = (
    (
        Transport.STREAMABLE_HTTP.value,
        Explained(
            "Streamable HTTP (recommended)",
            "For production. HTTP for requests and optional streaming answers: the primary transport of the protocol.",
        ),
    ),
    (
        Transport.SSE.value,
        Explained(
            "SSE (legacy)",
            "For older servers. Server-sent events, kept for those that offer nothing newer. The URL "
            "often ends in /sse.",
        ),
    ),
)
AUTH_TYPES = (
    (AuthType.NONE.value, Explained("None", "The server is open to anyone.")),
    (
        AuthType.API_KEY.value,
        Explained(
            "API key",
            "The organization signs in, with one shared credential: the server takes a key or "
            "Bearer token in a header.",
        ),
    ),
    (
        AuthType.OAUTH.value,
        Explained(
            "OAuth",
            "Each person signs in with their own account, and tools run with that person's token.",
        ),
    ),
)
CLIENT_MODES = (
    (
        ClientMode.KNOWN_CREDENTIALS.value,
        Explained(
            "Pre-created OAuth app (recommended)",
            "You create an OAuth app at the provider, allow the callback URL there, and paste its client ID and secret "
            "here. Required by providers such as HubSpot.",
        ),
    ),
    (
        ClientMode.DYNAMIC.value,
        Explained(
            "Dynamic client registration",
            "Asterism registers itself at the provider on the fly. Not all providers support this.",
        ),
    ),
    (
        ClientMode.CIMD.value,
        Explained(
            "Client ID metadata document",
            "The provider reads who Asterism is at an address of ours. Preferred by the protocol where it is "
            "supported; this platform has to be reachable from the internet.",
        ),
    ),
)
