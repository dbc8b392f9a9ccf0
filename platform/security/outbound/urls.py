"""Judging a URL by its form, and by its host's addresses where asked: before it is saved, and before each request.

A URL is judged as httpx2 reads it, because that is what will be dialled. What is wrong with the form is said plainly,
since it tells nothing about the inside; what is wrong with where it leads is not.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import httpcore2
import httpx2

from security.client_ip import Address
from security.outbound import policy as policies
from security.outbound.names import Resolver, judged_addresses, system_resolver
from security.outbound.policy import Policy
from security.outbound.refusal import OutboundRefused, unreachable

MAX_LENGTH = 2048
LOOKUP_SECONDS = 5.0
# Space, backslash and control characters, which parsers disagree about, and the invisible ones of Unicode.
UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:[0-9]*)?")
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# What resolvers read as an IPv4 address when a name ends in it: 127.1, 0x7f.1, 2130706433, 0177.0.0.1.
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
DOTTED = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
# Names that never lead to a public server (RFC 6761, 6762, 7686, 8375, 9476, and ICANN's .internal).
SPECIAL_NAMES = (
    "localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "home.arpa", "onion", "alt",
    "test", "invalid", "example",
)  # fmt: skip
NO_CREDENTIALS = "The URL carries a user name or password. Enter credentials where they are asked for."
DEFAULT_PORTS = {"https": 443, "http": 80}


def validate_url(
    url: str, *, policy: Policy | None = None, resolve: bool = False, resolver: Resolver = system_resolver
) -> str:
    """The URL as it will be used; OutboundRefused where it never could be.

    With `resolve` its name is looked up as well (which waits for the network: not inside a transaction). A name that is
    fine now may lead elsewhere later, so this spares people a surprise and replaces no check at the connection.
    """
    rules = policy or policies.current()
    parsed = read(url)
    judge(parsed, rules)
    if resolve:
        host, port, encrypted = host_of(parsed), port_of(parsed), parsed.scheme == "https"
        try:
            judged_addresses(host, port, rules, encrypted=encrypted, resolver=resolver, timeout=LOOKUP_SECONDS)
        except httpcore2.ConnectTimeout:
            raise unreachable(host, "its lookup took too long") from None
    return str(parsed)


def read(url: str) -> httpx2.URL:
    """The URL, refused where two readers could take it for two different ones."""
    if len(url) > MAX_LENGTH:
        raise OutboundRefused(f"The URL is longer than {MAX_LENGTH} characters.")
    if UNSAFE.search(url):
        raise OutboundRefused(
            "The URL holds a space, a backslash or an invisible character. Remove it, or write it as %20."
        )
    scheme, separator, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if not separator or not authority:
        raise OutboundRefused("The URL is not complete. It looks like https://example.com/path.")
    if "@" in authority:
        raise OutboundRefused(NO_CREDENTIALS)
    try:
        if not AUTHORITY.fullmatch(authority):
            raise httpx2.InvalidURL("more than a host and a port")
        return httpx2.URL(f"{scheme.lower()}://{rest}")
    except httpx2.InvalidURL:
        raise OutboundRefused("The URL is not written as URLs are. It looks like https://example.com/path.") from None


def judge(url: httpx2.URL, policy: Policy) -> None:
    """Refuse what its form alone rules out, among it addresses written into it."""
    if url.scheme not in policy.schemes:
        allowed = " or ".join(f"{scheme}://" for scheme in sorted(policy.schemes, reverse=True))
        raise OutboundRefused(f"The URL begins with {url.scheme}://. It has to begin with {allowed}.")
    if url.userinfo:
        raise OutboundRefused(NO_CREDENTIALS)
    if len(str(url)) > MAX_LENGTH:
        raise OutboundRefused(f"The URL is longer than {MAX_LENGTH} characters.")
    port = port_of(url)
    if not 0 < port <= 65535:
        raise OutboundRefused(f"The URL names port {port}, which no server can have.")
    host = host_of(url)
    literal = address_in(host)
    if literal is not None:
        if objection := policy.objection(literal, port, encrypted=url.scheme == "https"):
            raise unreachable(host, objection)
    elif not policy.opened and special(host):
        raise unreachable(host, "a name that is never public")
    elif not policy.opened and not policy.port_allowed(port):
        raise OutboundRefused(f"The URL names port {port}. Use 443, or a port from 1024 upwards.")


def address_in(host: str) -> Address | None:
    """The address a host is written as, None for a name; odd spellings of either are refused."""
    if ":" in host:
        try:
            address = IPv6Address(host)
        except AddressValueError:
            raise OutboundRefused("The URL's host is no IPv6 address.") from None
        if address.scope_id is not None:
            raise unreachable(host, "an address with a zone")
        return address
    labels = host.split(".")
    if DOTTED.fullmatch(host):
        try:
            return IPv4Address(host)
        except AddressValueError:
            raise unreachable(host, "an IPv4 address with a number out of range or with leading zeros") from None
    if NUMBER.fullmatch(labels[-1]):
        raise unreachable(host, "an IPv4 address in an unusual spelling")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise OutboundRefused("The URL's host is not written as host names are, for example mcp.example.com.")
    return None


def special(host: str) -> bool:
    """Whether a name is reserved for what is never public, or has no dot: only a local search list completes it."""
    return "." not in host or host.endswith(tuple(f".{name}" for name in SPECIAL_NAMES))


def host_of(url: httpx2.URL) -> str:
    """The host as it will be looked up: lower case, ASCII, an IPv6 address without its brackets."""
    return url.raw_host.decode("ascii").strip("[]")


def port_of(url: httpx2.URL) -> int:
    return url.port if url.port is not None else DEFAULT_PORTS.get(url.scheme, 0)
