"""What an operator allows (Policy) and what one kind of request may cost (Bounds)."""

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from security.client_ip import Address, Network, networks
from security.outbound.addresses import LOOPBACK, METADATA, is_public, meant, within

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Policy:
    """Which servers requests made for people may reach."""

    # Not public, and allowed all the same, on any port.
    opened: tuple[Network, ...] = ()
    # Closed besides everything that is not public; this wins over `opened`.
    closed: tuple[Network, ...] = ()
    # http:// to what `opened` names. To the public internet it is https:// always.
    plain_http: bool = False
    # Ports of public servers, as inclusive ranges: 443, and those no well-known service of another kind listens on.
    ports: tuple[tuple[int, int], ...] = ((443, 443), (1024, 65535))

    @property
    def schemes(self) -> frozenset[str]:
        return frozenset({"https", "http"} if self.plain_http else {"https"})

    def port_allowed(self, port: int) -> bool:
        return any(first <= port <= last for first, last in self.ports)

    def objection(self, address: Address, port: int, *, encrypted: bool) -> str | None:
        """Why this address may not be dialled, for the log; None where it may."""
        real = meant(address)
        if within(real, METADATA):
            return f"{address} is a cloud's metadata service"
        if within(real, self.closed):
            return f"{address} is closed by OUTBOUND_DENY_NETWORKS"
        if getattr(address, "scope_id", None) is None and within(real, self.opened):
            return None
        if not is_public(address):
            return f"{address} is not public"
        if not encrypted:
            return f"{address} is public, and http:// is for local servers alone"
        if not self.port_allowed(port):
            return f"port {port} of {address} is not among the ports of public servers"
        return None


def current() -> Policy:
    """The policy of the settings."""
    return _policy(
        settings.OUTBOUND_ALLOW_LOCAL, tuple(settings.OUTBOUND_ALLOW_NETWORKS), tuple(settings.OUTBOUND_DENY_NETWORKS)
    )


@lru_cache(maxsize=8)
def _policy(local: bool, opened: tuple[str, ...], closed: tuple[str, ...]) -> Policy:
    return Policy(opened=(LOOPBACK if local else ()) + networks(opened), closed=networks(closed), plain_http=local)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may cost: seconds, and bytes of its answer."""

    # Until a connection stands, the name's lookup and the TLS handshake each included.
    connect: float = 5
    # Between two pieces of the answer.
    read: float = 10
    # For all of it, with redirects and authentication, from asking to the last byte.
    total: float | None = 30
    # As it comes over the wire, and once unpacked.
    wire_bytes: int = 5 * MEBIBYTE
    body_bytes: int = 10 * MEBIBYTE
    # Seconds that an event stream (text/event-stream) may be silent. Such an answer has no total time and no total size
    # once it has begun; whoever reads it bounds each event. None: it is an answer like any other.
    event_stream_idle: float | None = None
