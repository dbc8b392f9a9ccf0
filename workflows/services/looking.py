"""What everybody who looks at an execution is shown: read once for all of them, in nobody's name.

Whether somebody may look is asked beside it, by `require_execution`.
"""

from dataclasses import dataclass
from uuid import UUID

from accounts.errors import NotFound
from workflows.models import Activity, Execution, ExecutionFile
from workflows.services.cost import Cost, cost_of
from workflows.services.files import files_of

# Activities read at once; where there are more, the next reading goes on after them.
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Look:
    """The execution as it is, and the first of its activities after a number."""

    execution: Execution
    files: list[ExecutionFile]
    cost: Cost
    activities: list[Activity]


def look(execution_id: UUID, after: int) -> Look:
    """How the execution stands and what happened after the number, up to the `activity_count` of its row."""
    found = Execution.objects.filter(pk=execution_id).select_related("agent", "workflow")
    execution = found.defer(*(f"workflow__{part}" for part in ("graph", "rules", "settings", "task"))).first()
    if execution is None:
        raise NotFound("The execution is gone.")
    # What is committed between the two statements belongs to a later look.
    new = Activity.objects.filter(execution=execution, number__gt=after, number__lte=execution.activity_count)
    return Look(execution, files_of(execution), cost_of(execution), list(new.order_by("number")[:AT_ONCE]))
