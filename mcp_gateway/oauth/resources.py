"""The issuer and the resources it issues tokens for, by the platform's configured name and never by the Host header."""

from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from oauthlib.oauth2.rfc6749.errors import CustomOAuth2Error

from accounts.scopes import Scope

# The protected resources by path: what each is called, and what its 401 asks a client to ask for.
RESOURCES = {"/mcp": "Asterism"}
PLATFORM = "/mcp"
WANTED = (Scope.READ, Scope.WRITE)


def issuer() -> str:
    return str(settings.PUBLIC_URL)


def uri(path: str) -> str:
    """The identifier of the resource at a path."""
    return issuer() + path


def metadata_url(path: str) -> str:
    """Where a resource's RFC 9728 document stands: the well-known part goes before the path."""
    return f"{issuer()}/.well-known/oauth-protected-resource{path}"


def normalized(identifier: str) -> str:
    """A resource identifier in one spelling: scheme and host in lower case, no default port, no slash at the end."""
    parts = urlsplit(identifier)
    netloc = parts.netloc.lower()
    default = {"https": ":443", "http": ":80"}.get(parts.scheme.lower(), "")
    if default:
        netloc = netloc.removesuffix(default)
    return urlunsplit((parts.scheme.lower(), netloc, parts.path.rstrip("/"), parts.query, parts.fragment))


def bound(asked: Iterable[str]) -> list[str]:
    """The resources a grant is for, of those a client asked for; the platform's endpoint where it asked for none.

    Raises `invalid_target` (RFC 8707 section 2) when one is not ours.
    """
    ours = {normalized(uri(path)): uri(path) for path in RESOURCES}
    chosen: list[str] = []
    for identifier in asked:
        try:
            known = ours.get(normalized(identifier))
        except ValueError:
            known = None
        if known is None:
            raise InvalidTarget
        if known not in chosen:
            chosen.append(known)
    return chosen or [uri(PLATFORM)]


class InvalidTarget(CustomOAuth2Error):  # noqa: N818 - the library's word for it
    """RFC 8707: a resource that this server issues no tokens for."""

    def __init__(self, **context: object) -> None:
        known = ", ".join(uri(path) for path in RESOURCES)
        super().__init__(
            error="invalid_target", description=f"Tokens are issued for {known} and nothing else.", **context
        )
