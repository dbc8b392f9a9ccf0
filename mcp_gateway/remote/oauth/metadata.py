"""Reading what servers and providers publish about themselves: RFC 9728, RFC 8414 and OpenID Connect Discovery.

Members of the wrong kind count as missing. Identifiers stay as they are written, since they are compared as text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from mcp_gateway.remote.oauth.errors import Reason, SignInFailed
from security import outbound

RESOURCE_PATH = "/.well-known/oauth-protected-resource"
AUTHORITY_PATH = "/.well-known/oauth-authorization-server"
OPENID_PATH = "/.well-known/openid-configuration"
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Resource:
    """An MCP server as it describes itself: its identifier, and the issuers whose tokens it takes."""

    identifier: str
    issuers: tuple[str, ...]
    # None where it does not say.
    scopes: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Authority:
    """A provider as it describes itself. Endpoints may be missing, and are judged by the guard when they are used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    registration_endpoint: str = ""
    revocation_endpoint: str = ""
    # Ways a client may prove itself at the token endpoint; None where it does not say.
    auth_methods: tuple[str, ...] | None = None
    scopes: tuple[str, ...] = ()
    challenge_methods: tuple[str, ...] = ()
    names_itself: bool = False
    takes_documents: bool = False


def resource_urls(url: str, named: str) -> list[str]:
    """Where a server's description may be: where its challenge says, or else by its path, or at the root."""
    parts = urlsplit(url)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path if parts.path != "/" else ""
    candidates = [origin + RESOURCE_PATH + path, origin + RESOURCE_PATH]
    return list(dict.fromkeys([_joined(url, named), *candidates] if named else candidates))


def authority_urls(issuer: str) -> list[str]:
    """Where a provider's description may be (RFC 8414 sections 3.1 and 5): the well-known part before its path, and as
    OpenID has it also behind."""
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return list(
        dict.fromkeys([origin + AUTHORITY_PATH + path, origin + OPENID_PATH + path, origin + path + OPENID_PATH])
    )


def read_resource(document: Mapping[str, Any], url: str) -> Resource:
    """The description of the server at `url`; `SignInFailed` where it is of another one (RFC 9728 section 3.3)."""
    identifier = _text(document.get("resource"))
    if not covers(identifier, url):
        raise SignInFailed(
            Reason.RESOURCE_MISMATCH,
            f"The server describes itself as {shown(identifier)}, which its address is not part of. Check the URL with "
            "the server's operators.",
        )
    issuers = tuple(issuer for issuer in _texts(document.get("authorization_servers")) or () if _is_url(issuer))
    return Resource(identifier, issuers, _texts(document.get("scopes_supported")))


def read_authority(document: Mapping[str, Any], issuer: str) -> Authority:
    """The description of the provider `issuer`; `SignInFailed` where it is of another one, or of no use."""
    stated = _text(document.get("issuer"))
    if not same_issuer(stated, issuer):
        raise SignInFailed(
            Reason.ISSUER_MISMATCH,
            f"The sign-in of {shown(issuer)} is described by a document of {shown(stated)}. It is not used, because "
            "that may be an attempt to steal access.",
        )
    return Authority(
        issuer=stated,
        authorization_endpoint=_endpoint(document, "authorization_endpoint"),
        token_endpoint=_endpoint(document, "token_endpoint"),
        registration_endpoint=_text(document.get("registration_endpoint")),
        revocation_endpoint=_text(document.get("revocation_endpoint")),
        auth_methods=_texts(document.get("token_endpoint_auth_methods_supported")),
        scopes=_texts(document.get("scopes_supported")) or (),
        challenge_methods=_texts(document.get("code_challenge_methods_supported")) or (),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        takes_documents=document.get("client_id_metadata_document_supported") is True,
    )


def covers(identifier: str, url: str) -> bool:
    """Whether a resource's identifier is the server at `url` or a parent of it: one origin, and whole path segments."""
    try:
        whole, part = urlsplit(identifier), urlsplit(url)
        same_origin = (whole.scheme.lower(), _host(whole.netloc, whole.scheme)) == (
            part.scheme.lower(),
            _host(part.netloc, part.scheme),
        )
    except ValueError:
        return False
    return same_origin and not whole.fragment and f"{part.path.rstrip('/')}/".startswith(f"{whole.path.rstrip('/')}/")


def canonical(url: str) -> str:
    """A server's identifier where it publishes none (RFC 8707 section 2): scheme and host lower, no fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path, parts.query, ""))


def same_issuer(one: str, other: str) -> bool:
    """Equal as text (RFC 8414 section 3.3). An origin may end in a slash or not: it is the same document either way."""
    if one == other:
        return bool(one)
    shorter, longer = sorted((one, other), key=len)
    return longer == f"{shorter}/" and shorter.count("/") == 2


def _joined(url: str, named: str) -> str:
    try:
        return urljoin(url, named)
    except ValueError:
        return named


def shown(text: str) -> str:
    """An identifier of somebody else's, fit to stand in a sentence of ours."""
    line = "".join(character for character in text[:200] if character.isprintable())
    return line or "nothing"


def _endpoint(document: Mapping[str, Any], name: str) -> str:
    """An endpoint that has to be there, and to be a URL that a request may be made to."""
    url = _text(document.get(name))
    if not url:
        raise SignInFailed(
            Reason.BAD_METADATA, f"The provider's description lacks its {name}. Its operators have to fix that."
        )
    try:
        outbound.validate_url(url)
    except outbound.OutboundRefused as refused:
        words = name.replace("_", " ")
        raise SignInFailed(Reason.REFUSED_ADDRESS, f"The provider's {words} is not one to go to. {refused}") from None
    if urlsplit(url).fragment:
        raise SignInFailed(Reason.BAD_METADATA, f"The provider's {name} has a fragment, which RFC 6749 does not allow.")
    return url


def _is_url(text: str) -> bool:
    try:
        return urlsplit(text).scheme in ("https", "http")
    except ValueError:
        return False


def _host(netloc: str, scheme: str) -> str:
    return netloc.lower().removesuffix({"https": ":443", "http": ":80"}.get(scheme.lower(), "none"))


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= LONGEST else ""


def _texts(value: object) -> tuple[str, ...] | None:
    """The texts of a list; None where there is no list. A single text with spaces is a list to some."""
    if isinstance(value, str):
        value = value.split()
    return (
        tuple(dict.fromkeys(item for item in value if isinstance(item, str) and item))
        if isinstance(value, list)
        else None
    )
