"""What somebody may try with a sign-in's answer, from another browser or twice, and what comes of it."""

import logging
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.utils import timezone
from starlette.responses import HTMLResponse

from accounts.caller import Caller
from mcp_gateway.models import ClientMode, RemoteConnection, RemoteServer, RemoteSignIn
from mcp_gateway.remote.oauth.errors import Reason
from mcp_gateway.remote.services import connections
from tests.fakes.oauth_mcp_server import METADATA, OAuthMcpServer, served_oauth_mcp
from tests.mcp_gateway.remote.oauth.attempts import refused
from tests.mcp_gateway.remote.oauth.conftest import CLIENT_SECRET, Browser, Making
from tests.threads import SECONDS, at_once, fared, meanwhile, until_one_waits_for_a_lock

pytestmark = pytest.mark.django_db


def test_another_browser_does_not_finish_and_the_right_one_still_can(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    back = oauth_mcp.consent(browser.start(server))
    assert refused(replace(browser, secret="of another"), back) == Reason.OTHER_BROWSER
    assert not oauth_mcp.asked("/token")
    assert browser.finish(back).access_token


def test_another_person_does_not_finish_even_in_the_same_browser(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser, admin: Caller
) -> None:
    back = oauth_mcp.consent(browser.start(server))
    assert refused(replace(browser, caller=admin), back) == Reason.OTHER_BROWSER
    assert not RemoteConnection.objects.exists()


def test_a_state_of_nobody_is_unknown(server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser) -> None:
    back = oauth_mcp.consent(browser.start(server))
    assert refused(browser, {**back, "state": "x" * 43}) == Reason.UNKNOWN_STATE
    assert refused(browser, {"code": back["code"]}) == Reason.UNKNOWN_STATE


def test_a_sign_in_expires(server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser) -> None:
    back = oauth_mcp.consent(browser.start(server))
    RemoteSignIn.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(browser, back) == Reason.EXPIRED
    assert refused(browser, back) == Reason.UNKNOWN_STATE


def test_an_answer_is_taken_once(server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser) -> None:
    back = oauth_mcp.consent(browser.start(server))
    browser.finish(back)
    assert refused(browser, back) == Reason.UNKNOWN_STATE
    assert len(oauth_mcp.asked("/token")) == 1


@pytest.mark.django_db(transaction=True)
def test_of_answers_that_race_one_is_taken(
    threads: None, server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    back = oauth_mcp.consent(browser.start(server))
    outcomes = fared(at_once(*[lambda: browser.finish(back)] * 4))
    assert sorted(outcomes) == ["ok", "unknown_state", "unknown_state", "unknown_state"]
    assert len(oauth_mcp.asked("/token")) == 1
    assert RemoteConnection.objects.get().generation == 1


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_is_being_taken_is_waited_for_and_is_gone_then(
    threads: None, server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    back = oauth_mcp.consent(browser.start(server))
    taken = threading.Event()

    def finish() -> RemoteConnection:
        assert taken.wait(SECONDS)
        return browser.finish(back)

    with meanwhile(finish) as outcomes, transaction.atomic():
        RemoteSignIn.objects.get().delete()
        taken.set()
        until_one_waits_for_a_lock()
    assert fared(outcomes) == ["unknown_state"]


@pytest.mark.parametrize(
    ("promised", "said"),
    [
        (True, None),
        (True, "https://evil.example"),
        (False, "https://evil.example"),
        (True, "{issuer}/"),
        (False, ""),
    ],
    ids=["missing", "wrong", "wrong-unpromised", "normalized", "empty"],
)
def test_an_answer_of_another_issuer_is_not_used(
    promised: bool, said: str | None, server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    oauth_mcp.altered[METADATA] = lambda document: {
        **document,
        "authorization_response_iss_parameter_supported": promised,
    }
    back = oauth_mcp.consent(browser.start(server))
    del back["iss"]
    if said is not None:
        back["iss"] = said.format(issuer=oauth_mcp.issuer)
    assert refused(browser, back) == Reason.WRONG_ISSUER
    assert not oauth_mcp.asked("/token")


def test_a_code_of_an_honest_provider_is_not_carried_to_another(
    make_server: Making, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    """The mix-up: a server of the attacker's sends people to the honest provider, and waits for the code."""
    honest = make_server(ClientMode.DYNAMIC, name="Honest")
    back = oauth_mcp.consent(browser.start(honest))
    with served_oauth_mcp() as attacker:
        evil = make_server(ClientMode.DYNAMIC, name="Evil", url=attacker.url)
        state = attacker.consent(browser.start(evil))["state"]
        assert refused(browser, {**back, "state": state}) == Reason.WRONG_ISSUER
        assert not attacker.asked("/token")


def test_a_person_who_says_no_is_told_so(server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser) -> None:
    back = oauth_mcp.consent(browser.start(server), answer="no")
    assert refused(browser, back) == Reason.DENIED


def test_nothing_is_kept_when_the_server_changed_meanwhile(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    back = oauth_mcp.consent(browser.start(server))
    RemoteServer.objects.update(url="https://elsewhere.example.com/mcp")
    assert refused(browser, back) == Reason.REFUSED
    assert not RemoteConnection.objects.exists()


@pytest.mark.parametrize(
    "path",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example", "x"],
)
def test_nobody_is_sent_on_to_another_site(
    path: str, server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    back = oauth_mcp.consent(browser.start(server, return_to=path))
    done = async_to_sync(connections.finish)(browser.caller, back, session_digest=browser.digest)
    assert done.return_to == ""


def test_no_secret_is_logged(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "httpx2"):
        url = browser.start(server)
        begun = caplog.text
        back = oauth_mcp.consent(url)
        caplog.clear()
        connection = browser.finish(back)
        oauth_mcp.answers["/revoke"] = [HTMLResponse("no", status_code=500)]
        async_to_sync(connections.disconnect)(browser.caller, server.pk)
        ended = caplog.text
    assert "/token" in ended, "nothing was logged at all, so that this proves nothing"
    secrets = [back["code"], back["state"], CLIENT_SECRET, connection.access_token, connection.refresh_token]
    assert not [secret for secret in secrets if secret in begun + ended]
