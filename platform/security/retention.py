"""How the audit forgets: in batches, oldest first, each in a transaction that may delete and that says it did."""

from datetime import datetime

from django.db import connection, transaction

from security import audit

BATCH = 10_000

# The plan: the BRIN summary on `at` leaves the few pages of old rows; the batch is then deleted by primary key.
PRUNE = """
    DELETE FROM security_auditentry WHERE id IN (
        SELECT id FROM security_auditentry WHERE at < %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""


def prune_audit(before: datetime) -> int:
    """Take away the entries older than `before`. Returns how many there were."""
    total = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL asterism.audit_prune = 'on'")
            cursor.execute(PRUNE, [before, BATCH])
            deleted: int = cursor.rowcount
            cursor.execute("SET LOCAL asterism.audit_prune = 'off'")
            total += deleted
            if deleted:
                audit.record("audit.prune", caller=None, detail={"before": before.isoformat(), "entries": deleted})
        if deleted < BATCH:
            return total
