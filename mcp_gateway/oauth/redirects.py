"""Where a client may have people sent back to: https, this machine, or an app that the operator lists."""

from urllib.parse import urlsplit

from django.conf import settings

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
LONGEST = 500


def schemes() -> list[str]:
    """The schemes a redirect may have; http only towards loopback."""
    return ["https", "http", *settings.OAUTH_APP_SCHEMES]


def fault(uri: str) -> str:
    """What is wrong with a redirect URI a client wants to register; nothing where it may be.

    RFC 8252 sections 7 and 8.3, RFC 9700 section 2.1.
    """
    if len(uri) > LONGEST or not uri.isascii() or not uri.isprintable() or any(mark in uri for mark in ' "<>\\^`{|}'):
        return f"A redirect URI is not an address of at most {LONGEST} characters."
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - raises on a port that is none
    except ValueError:
        return f"{uri} is not an address."
    if "#" in uri:
        return f"{uri} has a fragment, which a redirect URI must not have."
    if "@" in parts.netloc:
        return f"{uri} carries a user name, which a redirect URI must not have."
    if parts.scheme in settings.OAUTH_APP_SCHEMES:
        return ""
    if not parts.hostname:
        return f"{uri} names no host."
    if "*" in parts.netloc:
        return f"{uri} has a wildcard; name each redirect URI."
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return ""
    return f"{uri} is neither https nor http on this machine (127.0.0.1, [::1] or localhost)."


def is_loopback(uri: str) -> bool:
    """Whether the answer goes to a program on the person's own machine, which any program there could be."""
    parts = urlsplit(uri)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


def origin(uri: str) -> str:
    """The redirect's origin as a content security policy names it, which knows no IPv6 addresses."""
    parts = urlsplit(uri)
    if parts.scheme not in {"https", "http"} or parts.netloc.startswith("["):
        return f"{parts.scheme}:"
    return f"{parts.scheme}://{parts.netloc}"


def shown(uri: str) -> str:
    """The redirect as a person is shown it: its host, or the app that its scheme opens."""
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme in {"https", "http"} else f"the app of {parts.scheme}://"
