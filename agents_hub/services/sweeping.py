"""Deleting rows that are due in batches, each in a transaction of its own, so that nobody waits long."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

BATCH = 500


def sweep(due: QuerySet[Any]) -> int:
    """Delete the rows in their order; how many. One that somebody holds just now is left for the next time."""
    free = due.select_for_update(skip_locked=True).values_list("pk", flat=True)
    total = 0
    while True:
        with transaction.atomic():
            batch = list(free[:BATCH])
            due.model._default_manager.filter(pk__in=batch).delete()
        total += len(batch)
        if len(batch) < BATCH:
            return total
