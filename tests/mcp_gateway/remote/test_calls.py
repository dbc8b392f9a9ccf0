"""The health of a server, from the rows of its calls."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import NotFound
from accounts.models import Organization
from mcp_gateway.models import RemoteCall, RemoteServer
from mcp_gateway.remote.services import calls
from mcp_gateway.remote.services.calls import Health
from tests.factories import RemoteServerFactory

pytestmark = pytest.mark.django_db


def call(server: RemoteServer, hours: float, milliseconds: float, outcome: str = "ok") -> RemoteCall:
    at = timezone.now() - timedelta(hours=hours)
    return RemoteCall.objects.create(server=server, tool="search", at=at, duration_ms=milliseconds, outcome=outcome)


def test_health_counts_errors_and_measures_what_was_answered(organization: Organization, member: Caller) -> None:
    server = RemoteServerFactory(organization=organization)
    call(RemoteServerFactory(organization=organization), 1, 9999)
    for number in range(1, 20):
        call(server, 1, number * 10)
    call(server, 2, 200, "tool_error")
    call(server, 3, 1, "cancelled")
    call(server, 48, 1000, "failed")
    call(server, 24 * 8, 5000)
    found = calls.health(member, server_id=server.pk)
    assert found.day == Health(calls=21, errors=1, p50_ms=105, p95_ms=190.5)
    assert (found.week.calls, found.week.errors, found.week.p50_ms) == (22, 2, 110)
    assert found.last_success_at is not None
    assert timezone.now() - found.last_success_at < timedelta(hours=2)


def test_a_server_that_nobody_called_has_no_times(organization: Organization, member: Caller) -> None:
    found = calls.health(member, server_id=RemoteServerFactory(organization=organization).pk)
    assert (found.day, found.last_success_at) == (Health(0, 0, None, None), None)


def test_calls_come_newest_first_and_to_the_organization_alone(
    organization: Organization, member: Caller, stranger: Caller
) -> None:
    server = RemoteServerFactory(organization=organization)
    old, new = call(server, 5, 1), call(server, 1, 1)
    assert calls.recent_calls(member, server_id=server.pk).rows == [new, old]
    for ask in (calls.recent_calls, calls.health):
        with pytest.raises(NotFound):
            ask(stranger, server_id=server.pk)
