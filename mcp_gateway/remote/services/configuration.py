"""The rules of a server's settings: written onto a row whole or refused, its secrets kept, replaced or dropped."""

import json
import re
from urllib.parse import parse_qsl, urlsplit

import httpx2

from accounts.errors import Invalid
from mcp_gateway.models import AuthType, ClientMode, RemoteServer, Transport
from mcp_gateway.remote.shapes import ServerFields
from security import outbound
from security.redact import REDACTED, is_secret_name

# RFC 9110 section 5.6.2; what is sent is ASCII, whatever else readers put up with.
HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
# Headers that frame the message or belong to the protocol: the client sets them, and two would contradict each other.
RESERVED_HEADERS = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "date"),
        *("expect", "host", "keep-alive", "last-event-id", "te", "trailer", "transfer-encoding", "upgrade", "via"),
    }
)
RESERVED_PREFIXES = ("mcp-", "proxy-", "sec-")
MOST_HEADER_BYTES = 16_384


def write_fields(row: RemoteServer, fields: ServerFields) -> list[str]:
    """Write what was sent onto the row, which may be new. Returns the names of stored secrets that were dropped.

    A secret was entered for one server. Where the address leads to another (scheme, host or port), what is stored is
    not for it. `Invalid` names the field.
    """
    came_from = row.url
    if fields.name is not None:
        row.name = _name(fields.name)
    if fields.url is not None:
        row.url = checked_url(fields.url)
    if fields.transport is not None:
        row.transport = Transport(fields.transport)
    if fields.auth_type is not None:
        row.auth_type = AuthType(fields.auth_type)
    if fields.hold_changes is not None:
        row.hold_changes = fields.hold_changes
    if fields.enabled is not None:
        row.enabled = fields.enabled
    moved = bool(came_from) and origin(came_from) != origin(row.url)
    dropped = [*_write_headers(row, fields, moved=moved), *_write_client(row, fields, moved=moved)]
    if row.auth_type == AuthType.API_KEY and not row.header_names and not dropped:
        raise fault("headers", "Add at least one header, such as Authorization, or choose the authentication “none”.")
    return dropped


def origin(url: str) -> tuple[str, str, int]:
    """What a secret belongs to: scheme, host and port. What is no URL, written past these rules, is like no other."""
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        return "", url, 0
    return parsed.scheme, parsed.host, parsed.port or {"https": 443, "http": 80}.get(parsed.scheme, 0)


def stored_headers(row: RemoteServer) -> dict[str, str]:
    """The headers in clear, for sending."""
    found: dict[str, str] = json.loads(row.headers) if row.headers else {}
    return found


def checked_url(url: str) -> str:
    """The URL as it will be used, if it may be saved or tested."""
    try:
        checked = outbound.validate_url(url.strip())
    except outbound.OutboundRefused as refused:
        raise fault("url", str(refused)) from None
    if len(checked) > 2000:
        raise fault("url", "The URL is longer than 2,000 characters.")
    if "#" in checked:
        raise fault("url", "The URL has a part behind #, which is never sent. Leave it out.")
    # Everybody in the organization sees the address.
    secret = next((name for name, _ in parse_qsl(urlsplit(checked).query) if is_secret_name(name)), None)
    if secret is not None:
        raise fault("url", f"The URL carries a secret in “{secret}”, and everybody sees it. Put it into a header.")
    return checked


def fault(field: str, message: str) -> Invalid:
    return Invalid(message, data={"field": field})


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise fault("name", "Give the server a name.")
    return name


def _write_headers(row: RemoteServer, fields: ServerFields, *, moved: bool) -> list[str]:
    stored = stored_headers(row)
    if row.auth_type != AuthType.API_KEY:
        if fields.headers:
            raise fault("headers", "Headers go with the authentication “API key”. Choose it, or leave them out.")
        _set_headers(row, {})
        return []
    if fields.headers is None:
        _set_headers(row, {} if moved else stored)
        return list(stored) if moved else []
    entered: dict[str, str] = {}
    dropped: list[str] = []
    by_name = {name.lower(): name for name in stored}
    for name, value in fields.headers.items():
        name = _header_name(name.strip(), entered)
        kept = by_name.get(name.lower())
        if value not in ("", REDACTED):
            entered[name] = _header_value(name, value)
        elif kept is None:
            raise fault("headers", f"No value is stored for {name}. Enter it.")
        elif moved:
            dropped.append(name)
        else:
            entered[name] = stored[kept]
    if sum(len(name) + len(value) for name, value in entered.items()) > MOST_HEADER_BYTES:
        raise fault("headers", f"The headers are longer than {MOST_HEADER_BYTES} characters together.")
    _set_headers(row, entered)
    return dropped


def _set_headers(row: RemoteServer, headers: dict[str, str]) -> None:
    row.headers = json.dumps(headers) if headers else None
    row.header_names = list(headers)


def _header_name(name: str, before: dict[str, str]) -> str:
    if not HEADER_NAME.fullmatch(name):
        raise fault("headers", "A header's name is made of letters, digits and hyphens, such as Authorization.")
    if name.lower() in RESERVED_HEADERS or name.lower().startswith(RESERVED_PREFIXES):
        raise fault("headers", f"The header {name} cannot be set: it belongs to the connection or the protocol.")
    if name.lower() in {other.lower() for other in before}:
        raise fault("headers", f"The header {name} is there twice.")
    return name


def _header_value(name: str, value: str) -> str:
    value = value.strip(" \t")
    if not HEADER_VALUE.fullmatch(value):
        raise fault("headers", f"The value of {name} is one line of plain characters without line breaks or accents.")
    return value


def _write_client(row: RemoteServer, fields: ServerFields, *, moved: bool) -> list[str]:
    if row.auth_type != AuthType.OAUTH:
        if fields.client_mode or fields.client_id or fields.client_secret or fields.scopes:
            raise fault(
                "authType", "A client and scopes go with the authentication “OAuth”. Choose it, or leave them out."
            )
        row.client_mode, row.client_id, row.client_secret, row.scopes = "", "", None, ""
        return []
    if fields.scopes is not None:
        row.scopes = _scopes(fields.scopes)
    if fields.client_mode is not None or not row.client_mode:
        row.client_mode = ClientMode(fields.client_mode or ClientMode.KNOWN_CREDENTIALS)
    if row.client_mode != ClientMode.KNOWN_CREDENTIALS:
        if fields.client_id or fields.client_secret:
            raise fault("clientMode", "A client ID and secret go with the mode “known_credentials”. Choose it.")
        row.client_id, row.client_secret = "", None
        return []
    return _write_known_client(row, fields, moved=moved)


def _write_known_client(row: RemoteServer, fields: ServerFields, *, moved: bool) -> list[str]:
    """A secret belongs to its client ID and to where it was entered for; with another of either it is dropped."""
    before = row.client_id
    if fields.client_id is not None:
        row.client_id = _credential("clientId", fields.client_id)
    if not row.client_id:
        raise fault("clientId", "Enter the client ID of the app that you created at the provider.")
    if fields.client_secret not in (None, "", REDACTED):
        row.client_secret = _credential("clientSecret", fields.client_secret or "")
        return []
    if row.client_secret and (moved or (before and before != row.client_id)):
        row.client_secret = None
        return ["client secret"]
    if fields.client_secret == REDACTED and not row.client_secret:
        raise fault("clientSecret", "No client secret is stored. Enter it, or leave it empty.")
    return []


def _credential(field: str, value: str) -> str:
    value = value.strip()
    if not re.fullmatch(r"[\x20-\x7e]*", value):  # RFC 6749 appendix A.1 and A.2
        raise fault(field, "It is one line of plain characters, as the provider shows it.")
    return value


def _scopes(scopes: str) -> str:
    words = scopes.split()
    if not all(map(SCOPE.fullmatch, words)):
        raise fault("scopes", "Scopes are words of plain characters, separated by spaces.")
    return " ".join(dict.fromkeys(words))
