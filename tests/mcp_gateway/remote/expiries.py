"""Connections whose time to be refreshed has come, at a provider that runs."""

import json
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from mcp_gateway.models import RemoteConnection, RemoteIssuer
from tests.factories import RemoteConnectionFactory
from tests.fakes.identity_provider import IdentityProvider


def due_connection(provider: IdentityProvider, **fields: Any) -> RemoteConnection:
    """Somebody's connection whose access token has just expired."""
    connection = RemoteConnectionFactory(
        provider=json.dumps(provider.provider()),
        issuer=provider.url,
        **{"refresh_token": provider.signed_in(), **fields},
    )
    make_due(connection)
    connection.refresh_from_db()
    return connection


def make_due(connection: RemoteConnection) -> None:
    """The next attempt may be made, of this connection and of its issuer; its access token has expired."""
    row = RemoteConnection.objects.filter(pk=connection.pk)
    row.update(refresh_due_at=Now() - timedelta(seconds=1), expires_at=Now() - timedelta(seconds=1))
    RemoteIssuer.objects.all().update(closed_until=None)


def seconds_until_due(connection: RemoteConnection) -> float:
    """By the database's clock, from now."""
    found = RemoteConnection.objects.filter(pk=connection.pk).values_list("refresh_due_at", Now()).get()
    assert found[0] is not None
    return float((found[0] - found[1]).total_seconds())
