"""What goes wrong with an outgoing request on our side: it is refused, or its answer is too large.

Both are errors of httpx2, so that whatever drives a client treats them as a failed request. What is said to people
never tells what the inside looks like: a name that does not resolve and one that resolves to a private address read
the same. The log has the reason.
"""

import logging

import httpx2

logger = logging.getLogger("security.outbound")

UNREACHABLE = (
    "This server cannot be reached from here: its name does not resolve, or it is not on the public internet. "
    "Check the address."
)


class OutboundRefused(httpx2.TransportError):
    """The request was not sent. The text is meant for people, and safe to show to whoever wrote the URL."""

    def __init__(self, message: str = UNREACHABLE) -> None:
        super().__init__(message)


class ResponseTooLarge(httpx2.TransportError):
    """The answer, as sent or once unpacked, is larger than the request allowed."""


def unreachable(host: str, reason: str) -> OutboundRefused:
    """The one error for whatever is not public; the reason goes to the log alone."""
    logger.warning("Refused a connection to %r: %s", host, reason)
    return OutboundRefused()
