"""What the guide says about checking a signature, run as it stands there."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from agents_hub.models import Agent
from tests.fakes.webhook_receiver import Receiver
from tests.workflows.webhooks.conftest import ended
from workflows.services.webhooks import WithSecret
from workflows.webhooks import pauses, signing
from workflows.webhooks.sending import send_due

GUIDE = (settings.ROOT / "docs" / "webhooks.md").read_text()


@pytest.fixture(scope="module")
def is_genuine() -> Callable[..., bool]:
    [snippet] = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)
    checker: Callable[..., bool] = names["is_genuine"]
    return checker


def test_the_guides_snippet_knows_what_is_genuine(
    agent: Agent, hook: WithSecret, receiver: Receiver, is_genuine: Callable[..., bool]
) -> None:
    ended(agent)
    send_due()
    [request] = receiver.seen
    assert is_genuine(hook.secret, request.headers, request.body)
    assert not is_genuine(signing.new_secret(), request.headers, request.body)
    assert not is_genuine(hook.secret, request.headers, request.body + b" ")
    assert not is_genuine(hook.secret, {**request.headers, "webhook-id": "msg_other"}, request.body)


def test_the_guides_snippet_refuses_an_old_event(is_genuine: Callable[..., bool]) -> None:
    secret = signing.new_secret()
    old = signing.headers([secret], "msg_1", 1_614_265_330, b"{}")
    assert not is_genuine(secret, old, b"{}")


def test_the_guide_names_the_pauses_that_are_made() -> None:
    said = "10 seconds, 1 minute, 5 minutes, 30 minutes, 2 hours, 6 hours and 12 hours"
    assert said in GUIDE.replace("\n", " ")
    assert pauses.PAUSES == (10, 60, 300, 1_800, 7_200, 21_600, 43_200)
