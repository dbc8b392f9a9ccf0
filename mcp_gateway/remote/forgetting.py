"""What is forgotten of remote servers: calls after a month, sign-ins that nobody finished, issuers long not asked."""

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from mcp_gateway.models import RemoteIssuer

BATCH = 10_000
ISSUERS_STAY = timedelta(days=30)

# The plans: an index scan on remote_call_by_time, or remote_sign_in_by_expiry; then each row by its primary key.
_CALLS = """
    DELETE FROM mcp_gateway_remotecall WHERE id IN (
        SELECT id FROM mcp_gateway_remotecall WHERE at < %s ORDER BY at LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""
_SIGN_INS = """
    DELETE FROM mcp_gateway_remotesignin WHERE id IN (
        SELECT id FROM mcp_gateway_remotesignin WHERE expires_at < %s ORDER BY expires_at LIMIT %s
        FOR UPDATE SKIP LOCKED
    )
"""


def forget_calls(before: datetime) -> int:
    """Delete the calls made before then; gives how many."""
    return _in_batches(_CALLS, before)


def forget_sign_ins() -> int:
    """Delete the sign-ins whose time is over; gives how many."""
    return _in_batches(_SIGN_INS, timezone.now())


def forget_issuers() -> int:
    """Delete what is known of issuers that have not failed for a month; gives how many."""
    return RemoteIssuer.objects.filter(updated_at__lt=timezone.now() - ISSUERS_STAY).delete()[0]


def _in_batches(statement: str, before: datetime) -> int:
    """Each batch is a transaction of its own, so that nothing else waits long."""
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [before, BATCH])
            deleted: int = cursor.rowcount
        total += deleted
        if deleted < BATCH:
            return total
