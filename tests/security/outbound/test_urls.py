"""Hostile hosts and URLs, through every way a URL is taken, before a server inside that must hear of none of them."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from security.outbound import OutboundRefused, Policy, validate_url
from security.outbound.refusal import UNREACHABLE
from tests.security.outbound import hostile
from tests.security.outbound.loopback import INSIDE, POLICY, Mode, Names, Server, answering, ask, serving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"])

PRODUCTION = Policy()
MODES: tuple[Mode, ...] = ("sync", "async")


def attackers_names() -> Names:
    names = Names()
    for name, answers in hostile.ANSWERS.items():
        names.add(name, answers)
    return names


@pytest.fixture(scope="module")
def canary() -> Iterator[Server]:
    """What listens inside, on every address of this machine; nothing may reach it."""
    with serving(answering(b"the inside"), host="0.0.0.0") as server:
        yield server


def test_the_canary_sings_when_it_is_reached(canary: Server) -> None:
    assert ask("sync", f"http://127.0.0.2:{canary.port}/", names=Names()).text == "the inside"
    assert canary.connections == 1
    canary.connections = 0


@pytest.mark.parametrize("host", hostile.HOSTS, ids=ascii)
def test_a_host_that_leads_inside_is_refused_when_saved_and_when_dialled(host: str, canary: Server) -> None:
    before = canary.connections
    with pytest.raises(OutboundRefused):
        validate_url(f"https://{host}/", policy=PRODUCTION, resolve=True, resolver=attackers_names())
    for url in (f"http://{host}:{canary.port}/", f"https://{host}:{canary.port}/mcp?x=1"):
        for mode in MODES:
            with pytest.raises(OutboundRefused):
                ask(mode, url, policy=POLICY, names=attackers_names())
    assert canary.connections == before


@pytest.mark.parametrize("template", hostile.URLS, ids=lambda template: ascii(template)[:60])
def test_a_url_that_readers_could_take_for_two_things_is_refused(template: str, canary: Server) -> None:
    before = canary.connections
    url = template.format(port=canary.port)
    with pytest.raises(OutboundRefused):
        validate_url(url, policy=POLICY)
    for mode in MODES:
        with pytest.raises(OutboundRefused):
            ask(mode, url, names=attackers_names())
    assert canary.connections == before


def test_the_list_is_long_enough_to_mean_something() -> None:
    assert len(set(hostile.HOSTS)) + len(set(hostile.URLS)) >= 150


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://hf.co/mcp", "https://hf.co/mcp"),
        ("https://docs.mcp.cloudflare.com/sse", "https://docs.mcp.cloudflare.com/sse"),
        ("HTTPS://Example.COM:443/a%20b?c=d", "https://example.com/a%20b?c=d"),
        ("https://example.com:8443/@scope/server", "https://example.com:8443/@scope/server"),
        ("https://bücher.example.com/", "https://xn--bcher-kva.example.com/"),
        ("https://a_b.example.com/", "https://a_b.example.com/"),
        ("https://93.184.216.34/", "https://93.184.216.34/"),
        ("https://[2606:4700::1]/", "https://[2606:4700::1]/"),
        ("https://1and1.com/", "https://1and1.com/"),
        ("https://example.com/#@127.0.0.1/", "https://example.com/#@127.0.0.1/"),
    ],
)
def test_the_url_of_a_public_server_is_taken(url: str, kept: str) -> None:
    assert validate_url(url, policy=PRODUCTION) == kept


@pytest.mark.parametrize("name", ["home", "corp", "internal", "test"])
def test_a_name_reserved_for_the_inside_is_refused_without_asking_anyone(name: str) -> None:
    names = Names()
    with pytest.raises(OutboundRefused):
        validate_url(f"https://wiki.{name}/", policy=PRODUCTION, resolve=True, resolver=names)
    assert names.asked == []


def test_saving_looks_a_name_up_only_where_it_is_asked_to() -> None:
    names = Names()
    names.add("mcp.attacker.net", ["10.0.0.1"])
    assert validate_url("https://mcp.attacker.net/", policy=PRODUCTION, resolver=names)
    assert names.asked == []
    with pytest.raises(OutboundRefused):
        validate_url("https://mcp.attacker.net/", policy=PRODUCTION, resolve=True, resolver=names)


def test_a_lookup_that_hangs_while_saving_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("security.outbound.urls.LOOKUP_SECONDS", 0.1)
    release = threading.Event()

    def hanging(host: str, port: int) -> list[str]:
        release.wait(20)
        return []

    try:
        with pytest.raises(OutboundRefused):
            validate_url("https://mcp.example.com/", policy=PRODUCTION, resolve=True, resolver=hanging)
    finally:
        release.set()


def test_a_name_that_is_private_reads_like_one_that_does_not_exist(caplog: pytest.LogCaptureFixture) -> None:
    said = []
    for host in ("private.attacker.net", "nothing.attacker.net", "gone.attacker.net", "10.0.0.1", "127.1"):
        with pytest.raises(OutboundRefused) as refused:
            validate_url(f"https://{host}/", policy=PRODUCTION, resolve=True, resolver=attackers_names())
        said.append(str(refused.value))
    assert set(said) == {UNREACHABLE}
    assert "10.0.0.1 is not public" in caplog.text
    assert "does not resolve" in caplog.text


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://mcp.example.com/", "https://"),
        ("https://mcp.example.com:22/", "port 22"),
        ("https://ada:secret@mcp.example.com/", "user name or password"),
        ("https://mcp.example.com/a b", "space"),
        ("mcp.example.com", "not complete"),
        ("https://mcp..example.com/", "host"),
    ],
)
def test_what_is_wrong_with_the_form_is_said_with_what_to_do(url: str, word: str) -> None:
    with pytest.raises(OutboundRefused, match=word) as refused:
        validate_url(url, policy=PRODUCTION)
    assert "secret" not in str(refused.value)


@given(st.text(max_size=60))
def test_any_host_at_all_is_refused_or_is_kept_as_it_is_dialled(host: str) -> None:
    try:
        kept = validate_url(f"https://{host}/", policy=PRODUCTION)
    except OutboundRefused:
        return
    assert validate_url(kept, policy=PRODUCTION) == kept


@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["{0}", "0x{0:x}", "0{0:o}", "{1}.{2}", "0x{1:x}.{2}", "{1}.{3}.{4}"])
)
def test_no_number_but_four_decimal_ones_is_taken_for_an_address(number: int, spelling: str) -> None:
    host = spelling.format(number, number >> 24, number & 0xFFFFFF, (number >> 16) & 0xFF, number & 0xFFFF)
    with pytest.raises(OutboundRefused):
        validate_url(f"https://{host}/", policy=Policy(opened=POLICY.opened))


def test_local_servers_are_allowed_where_the_operator_allows_them(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_LOCAL = False
    settings.OUTBOUND_ALLOW_NETWORKS = []
    with pytest.raises(OutboundRefused):
        validate_url(f"http://{INSIDE}:8000/mcp")
    settings.OUTBOUND_ALLOW_LOCAL = True
    assert validate_url(f"http://{INSIDE}:8000/mcp") == f"http://{INSIDE}:8000/mcp"
    assert validate_url("http://localhost:22/mcp", resolve=True, resolver=attackers_names())
    with pytest.raises(OutboundRefused):
        validate_url("http://10.0.0.1/mcp")
    settings.OUTBOUND_ALLOW_NETWORKS = ["10.0.0.0/24"]
    assert validate_url("http://10.0.0.1/mcp")
    settings.OUTBOUND_DENY_NETWORKS = ["10.0.0.1/32"]
    with pytest.raises(OutboundRefused):
        validate_url("http://10.0.0.1/mcp")


def test_an_opened_intranet_is_still_asked_encrypted_in_production(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_LOCAL = False
    settings.OUTBOUND_ALLOW_NETWORKS = ["10.0.0.0/24"]
    assert validate_url("https://10.0.0.1/mcp")
    with pytest.raises(OutboundRefused, match="https://"):
        validate_url("http://10.0.0.1/mcp")


def test_http_never_reaches_the_public_internet_even_where_local_servers_may_use_it() -> None:
    with pytest.raises(OutboundRefused):
        validate_url("http://93.184.216.34/", policy=POLICY)
    names = Names()
    names.add("mcp.example.com", ["93.184.216.34"])
    with pytest.raises(OutboundRefused):
        ask("sync", "http://mcp.example.com/", names=names)
