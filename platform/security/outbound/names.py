"""Looking a name up once, within a time, and judging every address it leads to."""

import queue
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address

import anyio
import anyio.to_thread
import httpcore2

from security.client_ip import Address
from security.outbound.policy import Policy
from security.outbound.refusal import OutboundRefused, unreachable

# From a host and a port to the addresses as text. Only tests have a reason for another one than the system's.
Resolver = Callable[[str, int], Sequence[str]]

# A name with a thousand addresses would otherwise be a thousand connections.
MOST_ADDRESSES = 64


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses of a host as this machine sees them, each once, the preferred first (RFC 6724)."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def judged_addresses(
    host: str, port: int, policy: Policy, *, encrypted: bool, resolver: Resolver, timeout: float | None
) -> list[Address]:
    """Where to dial. One answer that is not allowed refuses them all: whoever gave it gave the others too."""
    if _is_address(host):
        return judged(host, port, [host], policy, encrypted=encrypted)
    answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(resolver(host, port))
        except Exception as error:  # whatever it is, it is raised where the answer is waited for
            answers.put(error)

    # The system's lookup cannot be stopped. A thread that nobody waits for leaves us in time, also after a fork.
    threading.Thread(target=look_up, name="outbound-lookup", daemon=True).start()
    try:
        found = answers.get(timeout=timeout)
    except queue.Empty:
        raise httpcore2.ConnectTimeout("The name was not looked up in time.") from None
    if isinstance(found, OSError | UnicodeError):
        raise _not_found(host, found)
    if isinstance(found, Exception):
        raise found
    return judged(host, port, found, policy, encrypted=encrypted)


async def judged_addresses_async(
    host: str,
    port: int,
    policy: Policy,
    *,
    encrypted: bool,
    resolver: Resolver,
    timeout: float | None,
    limiter: anyio.CapacityLimiter,
) -> list[Address]:
    """The same from an event loop, its lookups in threads of their own number."""
    if _is_address(host):
        return judged(host, port, [host], policy, encrypted=encrypted)
    try:
        with anyio.fail_after(timeout):
            found = await anyio.to_thread.run_sync(resolver, host, port, abandon_on_cancel=True, limiter=limiter)
    except TimeoutError:
        raise httpcore2.ConnectTimeout("The name was not looked up in time.") from None
    except (OSError, UnicodeError) as error:
        raise _not_found(host, error) from None
    return judged(host, port, found, policy, encrypted=encrypted)


def judged(host: str, port: int, found: Iterable[str], policy: Policy, *, encrypted: bool) -> list[Address]:
    """The addresses, if there are any and every one is allowed."""
    try:
        addresses = [ip_address(text) for text in found]
    except ValueError as error:
        raise unreachable(host, f"its lookup gave {error}") from None
    if not 0 < len(addresses) <= MOST_ADDRESSES:
        raise unreachable(host, f"it has {len(addresses)} addresses")
    for address in addresses:
        if objection := policy.objection(address, port, encrypted=encrypted):
            raise unreachable(host, objection)
    return addresses


def _is_address(host: str) -> bool:
    """Whether it is one as such, so that there is nothing to look up: a lookup is a thread, even for these."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _not_found(host: str, error: OSError | UnicodeError) -> OutboundRefused:
    """A name that does not exist is refused like one that leads inside."""
    return unreachable(host, f"it does not resolve: {error}")
