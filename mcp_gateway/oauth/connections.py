"""The clients a person has connected: remembered, listed, used, ended."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import NotFound
from accounts.models import User
from accounts.scopes import Scope
from mcp_gateway.models import AccessToken, Application, Connection, Grant, RefreshToken
from mcp_gateway.oauth.scopes import widest
from security import audit

NOTED_EVERY = timedelta(minutes=1)


def remember(user: User, application: Application, scope: str) -> None:
    """Note that the person let the client in; a new consent replaces what the last one allowed."""
    Connection.objects.update_or_create(
        user=user,
        application=application,
        defaults={"scope": str(widest(scope.split()) or ""), "connected_at": timezone.now()},
    )


def names(application_ids: Iterable[int]) -> Mapping[int, str]:
    """What the clients of these ids are called, for the audit; without those that were removed."""
    return {number: str(client) for number, client in Application.objects.in_bulk(application_ids).items()}


def list_connections(caller: Caller) -> list[Connection]:
    """The caller's connected clients that can still refresh, the last used first."""
    live = RefreshToken.objects.filter(
        user_id=OuterRef("user_id"), application_id=OuterRef("application_id"), revoked__isnull=True
    )
    rows = Connection.objects.for_caller(caller).filter(Exists(live)).select_related("application")
    return sorted(rows, key=lambda row: row.last_used_at or row.connected_at, reverse=True)


@transaction.atomic
def end_connection(caller: Caller, *, connection_id: int) -> Connection:
    """End every token and code the client has of the caller, at once."""
    connections = Connection.objects.for_caller(caller).select_related("application")
    connection = connections.filter(pk=connection_id).first()
    if connection is None or not _end(caller, connection):
        raise NotFound("You have no such connected application. It may have been disconnected already.")
    return connection


@transaction.atomic
def end_for_operator(operator: Caller, chosen: Iterable[Connection]) -> int:
    """End anybody's connections, for doors that only operators have; gives how many there still were."""
    operator.require(Scope.ADMIN)
    ids = [connection.pk for connection in chosen]
    still_there = Connection.objects.select_related("application").filter(pk__in=ids).order_by("pk")
    return sum(_end(operator, connection) for connection in still_there)


def _end(caller: Caller, connection: Connection) -> bool:
    """End the connection, unless somebody was faster.

    Rows are locked in the order in which redeeming a code locks them: the code, the tokens, the connection.
    """
    theirs = {"user_id": connection.user_id, "application": connection.application}
    Grant.objects.filter(**theirs).delete()
    RefreshToken.revoke_live(**theirs)
    AccessToken.objects.filter(**theirs).delete()
    ended, _ = Connection.objects.filter(pk=connection.pk).delete()
    if ended:
        audit.record(
            "oauth.revoke",
            caller=caller,
            target=f"application:{connection.application_id}",
            detail={"client": str(connection.application), "person": connection.user_id},
        )
    return bool(ended)
