"""Which executions are forgotten: those that ended long ago, with their steps, activities, comments and files.

Not while something still has to be done about their end: files to be shared, a webhook to be sent.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from workflows.models import Execution, ExecutionFile, WebhookDelivery

# In one transaction. An execution has thousands of rows at most, a few dozen as a rule.
BATCH = 50


def forget_executions(before: datetime) -> int:
    """Delete those that ended before then; gives how many. The content of their files goes with the last row of it."""
    total = 0
    while forgotten := _forget_some(before):
        total += forgotten
    return total


def _forget_some(before: datetime) -> int:
    ended = Execution.objects.filter(terminal_at__lt=before).filter(
        ~Exists(ExecutionFile.objects.filter(execution=OuterRef("pk"), is_to_be_shared=True)),
        ~Exists(WebhookDelivery.objects.filter(execution=OuterRef("pk"), due_at__isnull=False, endpoint__enabled=True)),
    )
    with transaction.atomic():
        # The plan: an index scan on execution_by_end, which ends with the batch.
        some = ended.select_for_update(skip_locked=True, of=("self",)).order_by("terminal_at")[:BATCH]
        found = list(some.values_list("pk", flat=True))
        Execution.objects.filter(pk__in=found).delete()
    return len(found)
