"""Which addresses count as public, against Python's own opinion and at every edge."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from security.client_ip import Network
from security.outbound import Policy
from security.outbound.addresses import CLOSED_4, CLOSED_6, METADATA, is_public, within

# Where ours is stricter than `IPv4Address.is_global`, and why.
STRICTER_4 = [
    ip_network(text)
    for text in (
        "224.0.0.0/4",  # multicast: global for Python, no server for us
        "192.0.0.0/24",  # Python opens 192.0.0.9 and .10, which are anycast relays
        "192.31.196.0/24",  # AS112 answers for private reverse lookups
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.175.48.0/24",  # AS112
        "168.63.129.16/32",  # Azure's wire server
    )
]
STRICTER_6 = [
    ip_network(text)
    for text in (
        "2001::/23",  # Python opens anycast, AMT, AS112 and ORCHID inside
        "2002::/16",  # 6to4; global for Python before 3.13
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation; global for Python before 3.13
    )
]


@given(st.ip_addresses(v=4))
@example(IPv4Address("93.184.216.34"))
def test_an_ipv4_address_is_public_where_python_calls_it_global_but_for_the_named_ranges(address: IPv4Address) -> None:
    assert is_public(address) == (address.is_global and not within(address, STRICTER_4))


@given(st.one_of(st.ip_addresses(v=6), st.ip_addresses(v=6, network="2000::/3")))
@example(IPv6Address("2606:2800:220:1:248:1893:25c8:1946"))
@example(IPv6Address("2001:4:112::1"))
def test_an_ipv6_address_is_public_where_python_calls_it_global_unicast_but_for_the_named_ranges(
    address: IPv6Address,
) -> None:
    if address.ipv4_mapped or address in ip_network("64:ff9b::/96"):
        return  # the next two tests
    unicast = address in ip_network("2000::/3")
    assert is_public(address) == (address.is_global and unicast and not within(address, STRICTER_6))


@given(st.ip_addresses(v=4))
@example(IPv4Address("127.0.0.1"))
@example(IPv4Address("93.184.216.34"))
def test_a_mapped_or_translated_address_is_as_public_as_the_one_it_stands_for(address: IPv4Address) -> None:
    for embedding in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert is_public(IPv6Address(embedding)) == is_public(address)


@given(st.ip_addresses(v=4))
@example(IPv4Address("93.184.216.34"))
def test_the_other_embeddings_of_ipv4_are_never_public(address: IPv4Address) -> None:
    number = int(address)
    compatible = IPv6Address(number)
    sixtofour = IPv6Address((0x2002 << 112) | (number << 80))
    teredo = IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF))
    local_nat64 = IPv6Address((0x0064FF9B0001 << 80) | number)
    siit = IPv6Address((0xFFFF << 48) | number)
    assert not any(map(is_public, (compatible, sixtofour, teredo, local_nat64, siit)))


@pytest.mark.parametrize("network", [*CLOSED_4, *CLOSED_6, *METADATA], ids=str)
def test_a_closed_range_is_closed_from_its_first_address_to_its_last(network: Network) -> None:
    assert not is_public(network[0])
    assert not is_public(network[-1])


@pytest.mark.parametrize(
    "address",
    ["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
     "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
     "198.17.255.255", "198.20.0.0", "223.255.255.255", "2000::1", "2606:4700::1", "2001:200::1", "2003::1",
     "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"],
)  # fmt: skip
def test_the_neighbours_of_closed_ranges_are_open(address: str) -> None:
    assert is_public(ip_address(address))


def test_an_address_with_a_zone_is_never_public_and_never_opened() -> None:
    zoned = IPv6Address("2606:4700::1%eth0")
    assert not is_public(zoned)
    assert Policy(opened=(ip_network("2606:4700::/32"),)).objection(zoned, 443, encrypted=True)


def test_opening_a_network_does_not_open_the_metadata_service_in_it() -> None:
    policy = Policy(opened=(ip_network("169.254.0.0/16"), ip_network("fd00::/8"), ip_network("100.64.0.0/10")))
    assert policy.objection(ip_address("169.254.7.7"), 443, encrypted=True) is None
    for address in ("169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254"):
        assert "metadata" in (policy.objection(ip_address(address), 443, encrypted=True) or "")


def test_a_network_that_is_closed_besides_stays_closed_though_public_or_opened() -> None:
    ours = ip_network("93.184.216.0/24")
    policy = Policy(opened=(ours,), closed=(ours,))
    assert "OUTBOUND_DENY_NETWORKS" in (policy.objection(ip_address("93.184.216.34"), 443, encrypted=True) or "")


def test_public_servers_are_asked_encrypted_and_on_ports_that_no_other_service_has() -> None:
    policy = Policy(plain_http=True)
    server = ip_address("93.184.216.34")
    assert policy.objection(server, 443, encrypted=True) is None
    assert policy.objection(server, 8443, encrypted=True) is None
    assert policy.objection(server, 443, encrypted=False)
    for port in (0, 22, 25, 80, 389, 1023):
        assert policy.objection(server, port, encrypted=True)
