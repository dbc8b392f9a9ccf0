"""Sign-ins that come to nothing, and the reasons for it."""

import pytest

from mcp_gateway.models import RemoteServer, RemoteSignIn
from mcp_gateway.remote.oauth.errors import Reason, SignInFailed
from tests.mcp_gateway.remote.oauth.conftest import Browser


def refused(browser: Browser, query: dict[str, str]) -> Reason:
    with pytest.raises(SignInFailed) as failure:
        browser.finish(query)
    return failure.value.reason


def not_begun(browser: Browser, server: RemoteServer) -> Reason:
    with pytest.raises(SignInFailed) as failure:
        browser.start(server)
    assert not RemoteSignIn.objects.exists()
    return failure.value.reason
