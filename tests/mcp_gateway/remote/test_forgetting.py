"""What is known of remote servers does not grow for ever."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from mcp_gateway import tasks
from mcp_gateway.models import RemoteCall, RemoteSignIn
from mcp_gateway.remote import forgetting
from tests.factories import RemoteServerFactory, UserFactory


def called(days_ago: int) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    server = RemoteServerFactory()
    RemoteCall.objects.create(server=server, tool="look", at=at, duration_ms=5, outcome=RemoteCall.Outcome.OK)


def test_calls_are_kept_for_a_month_and_go_in_batches(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    for days_ago in (1, 29, 31, 32, 33, 34, 35):
        called(days_ago)
    tasks.forget_remote_calls()
    assert RemoteCall.objects.count() == 2


def test_calls_are_kept_for_ever_where_the_operator_says_so(db: None, settings: Settings) -> None:
    settings.MCP_REMOTE_CALLS_RETENTION_DAYS = 0
    called(days_ago=4_000)
    tasks.forget_remote_calls()
    assert RemoteCall.objects.count() == 1


def test_a_sign_in_that_nobody_finished_goes_with_its_time(db: None) -> None:
    server, user = RemoteServerFactory(oauth=True), UserFactory()
    for minutes in (-1, 5):
        RemoteSignIn.objects.create(
            user=user,
            server=server,
            state_digest=bytes([minutes % 256]) * 32,
            session_digest=b"s" * 32,
            pending="{}",
            expires_at=timezone.now() + timedelta(minutes=minutes),
        )
    tasks.forget_sign_ins()
    assert RemoteSignIn.objects.get().expires_at > timezone.now()
