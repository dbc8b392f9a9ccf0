"""Which addresses are on the public internet: pure, and stricter than `ipaddress.is_global`.

The ranges are IANA's special-purpose registries (RFC 6890 and what was added since). Where a registry calls a range
inside a closed one reachable (anycast relays, identifiers that look like addresses), no server for people lives there.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from security.client_ip import Address, Network, networks

LOOPBACK = networks(["127.0.0.0/8", "::1/128"])

# Where clouds tell a machine its own secrets. Closed even where the network around them is opened.
METADATA = networks(
    [
        "169.254.169.254/32",  # AWS, Azure, Google, DigitalOcean, Oracle
        "169.254.169.253/32",  # AWS, name service
        "169.254.170.2/32",  # AWS, credentials of a container
        "169.254.170.23/32",  # AWS, credentials of a pod
        "fd00:ec2::254/128",
        "fd00:ec2::253/128",
        "fd00:ec2::23/128",
        "fd20:ce::254/128",  # Google over IPv6
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure's wire server, in a range that looks public
        "192.0.0.192/32",  # Oracle, the older one
    ]
)

CLOSED_4 = networks(
    [
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    ]
)

# Nothing outside global unicast is public: not ::/96, not fc00::/7, fe80::/10, fec0::/10, ff00::/8, 64:ff9b:1::/48.
GLOBAL_UNICAST = IPv6Network("2000::/3")
CLOSED_6 = networks(
    [
        "2001::/23",  # protocol assignments; among them Teredo, which carries an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    ]
)

NAT64 = IPv6Network("64:ff9b::/96")


def within(address: Address, among: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in among)


def meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (mapped: RFC 4291; by NAT64: RFC 6052), else itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether a server for everybody can live there."""
    address = meant(address)
    if isinstance(address, IPv4Address):
        return not within(address, CLOSED_4) and not within(address, METADATA)
    return address.scope_id is None and address in GLOBAL_UNICAST and not within(address, CLOSED_6)
