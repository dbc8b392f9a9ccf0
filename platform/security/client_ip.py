"""Whose address a request counts for.

X-Forwarded-For is a claim: each proxy appends the address it saw, and what stands left of the first proxy that is not
ours anyone can write. So it is read from the right, and only behind the proxies in TRUSTED_PROXIES.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks of TRUSTED_PROXIES; ValueError names what is none."""
    return tuple(ip_network(text, strict=False) for text in texts)


def trusted(peer: str, proxies: Sequence[Network]) -> bool:
    address = _address(peer)
    return address is not None and any(address in network for network in proxies)


def client_ip(peer: str, forwarded_for: str, proxies: Sequence[Network]) -> str:
    """The rightmost address that is not a trusted proxy's, beginning with the connection's own `peer`."""
    claims = [claim.strip() for claim in forwarded_for.split(",") if claim.strip()]
    here = peer
    while trusted(here, proxies) and claims:
        claim = _address(claims.pop())
        if claim is None:  # a proxy of ours that writes what is no address: count for the proxy
            break
        here = str(claim)
    return here


def counted_as(ip: str) -> str:
    """What limits count an address under: itself, or the /64 of an IPv6 address, which one person has whole."""
    address = _address(ip)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address) if address else "unknown"


def _address(text: str) -> Address | None:
    """The address in `text`, which may carry a port; an IPv4 address mapped into IPv6 is itself."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].split("]", 1)[0]
    elif text.count(":") == 1:
        text = text.split(":", 1)[0]
    try:
        address = ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
