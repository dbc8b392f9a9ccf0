"""The MCP endpoints of this platform: their paths, and how each introduces itself to a model."""

from django.conf import settings

from mcp_gateway.asgi import Endpoint
from mcp_gateway.oauth import resources
from mcp_gateway.oauth.entrance import TokenEntrance
from mcp_gateway.server import Identity

BOTS_INSTRUCTIONS = """\
Tools for the Discord bots of the person whose API key is used: support tickets, moderation, gift codes, statistics, \
activity and return on investment. Ids are strings of digits. Most tools need a botId. Lists give nextCursor when \
there is more. A failed call says what to do next; do not repeat it unchanged. Warning, kicking and banning act on \
real people: confirm with the person first, and pass an idempotencyKey so that a repeated call acts once."""

PLATFORM_INSTRUCTIONS = """\
Tools for the agents of the person who signed in, with that person's rights in each of their organizations. Call \
getContext first: most tools need the organizationId that it gives. searchDocs answers questions about this platform. \
A failed call says what to do next; do not repeat it unchanged. Confirm with the person before deleting anything."""


def endpoints() -> dict[str, Endpoint]:
    """Each endpoint by its path, new with every call: an endpoint lives in one event loop."""
    return {
        "/api/mcp-server": Endpoint(
            Identity("asterism-bots", "Asterism bots", settings.VERSION, BOTS_INSTRUCTIONS), tools="bots"
        ),
        resources.PLATFORM: Endpoint(
            Identity("asterism", "Asterism", settings.VERSION, PLATFORM_INSTRUCTIONS),
            tools="platform",
            entrance=TokenEntrance(resources.PLATFORM),
            per_minute=settings.MCP_PLATFORM_RATE_PER_MINUTE,
        ),
    }
