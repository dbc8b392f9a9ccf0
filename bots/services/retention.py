"""How long facts about activity are kept, and dropping what is older, with rate limits that nobody uses any more."""

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from bots.models import RateLimitBucket

# The longest window of the statistics is 30 days, of retention 60 and 7 before a moment at most a year back.
INVOCATIONS_KEPT = timedelta(days=90)
MEMBER_DAYS_KEPT = timedelta(days=400)
# Timelines reach a year back from any moment; three years keep the one before comparable.
BUCKETS_KEPT = timedelta(days=3 * 366)
# Deleted in parts, so that no statement holds its locks for long.
BATCH = 10_000

_BATCH_DELETED = {
    "invocations": "DELETE FROM bots_commandinvocation WHERE id IN "
    "(SELECT id FROM bots_commandinvocation WHERE at < %s ORDER BY id LIMIT %s)",
    "buckets": "DELETE FROM bots_activitybucket WHERE id IN "
    "(SELECT id FROM bots_activitybucket WHERE hour < %s ORDER BY id LIMIT %s)",
    "member days": "DELETE FROM bots_memberday WHERE id IN "
    "(SELECT id FROM bots_memberday WHERE day < %s::timestamptz::date ORDER BY id LIMIT %s)",
}


def prune() -> dict[str, int]:
    """Drop what is older than it is kept; returns how many rows of each kind went."""
    now = timezone.now()
    kept = {"invocations": INVOCATIONS_KEPT, "buckets": BUCKETS_KEPT, "member days": MEMBER_DAYS_KEPT}
    dropped = {kind: _drop(kind, now - age) for kind, age in kept.items()}
    return dropped | {"rate limits": RateLimitBucket.objects.prune()}


def _drop(kind: str, before: datetime) -> int:
    dropped = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_BATCH_DELETED[kind], [before, BATCH])
            count: int = cursor.rowcount
        dropped += count
        if count < BATCH:
            return dropped
