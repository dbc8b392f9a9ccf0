"""What everybody who looks at an execution is shown: read once for all of them, in nobody's name, and bounded.

Whether somebody may look is asked beside it, by `require_execution`.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from accounts.errors import NotFound
from workflows.engine.states import Status
from workflows.models import Activity, Execution, ExecutionFile, Workflow
from workflows.services.cost import Cost, cost_of

# Activities read at once; where there are more, the next reading goes on after them.
AT_ONCE = 200
MOST_FILES = 50
MOST_VARIABLES = 50
# Of one variable's JSON, in characters.
LONGEST_VALUE = 2_000

# An execution's variables may be megabytes, and this is read for every line of its timeline: what is cut off is not
# even sent by the database.
_VARIABLES = """
    SELECT name, left(value, %(longest)s), length(value), count(*) OVER ()
    FROM workflows_execution, jsonb_each(variables) AS each (name, given), jsonb_pretty(given) AS value
    WHERE id = %(execution)s ORDER BY name LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable's JSON, as far as it is shown, and how many characters all of it has."""

    name: str
    shown: str
    length: int

    @property
    def is_cut(self) -> bool:
        return self.length > len(self.shown)


@dataclass(frozen=True, slots=True)
class Standing:
    """What hangs on an execution, as far as it is shown, and how much more there is."""

    variables: list[Variable]
    more_variables: int
    files: list[ExecutionFile]
    more_files: int
    cost: Cost
    cancelled_by: str
    """Why it was cancelled (`cancelledPayload.reason`); empty where it was not."""


@dataclass(frozen=True, slots=True)
class Look:
    """The execution as it is, and the first of its activities after a number."""

    execution: Execution
    standing: Standing
    activities: list[Activity]


def look(execution_id: UUID, after: int) -> Look:
    """How the execution stands and what happened after the number, up to the `activity_count` of its row."""
    found = Execution.objects.filter(pk=execution_id).select_related("agent", "workflow", "sync_to")
    content = [*Workflow.content_of("workflow"), *Workflow.content_of("sync_to")]
    execution = found.defer("variables", *content).first()
    if execution is None:
        raise NotFound("The execution is gone.")
    # What is committed between the two statements belongs to a later look.
    new = Activity.objects.filter(execution=execution, number__gt=after, number__lte=execution.activity_count)
    return Look(execution, standing(execution), list(new.order_by("number")[:AT_ONCE]))


def standing(execution: Execution) -> Standing:
    """What hangs on an execution that was found as the caller's."""
    variables, more_variables = _variables(execution.pk)
    files = list(execution.files.order_by("directory", "name")[: MOST_FILES + 1])
    more_files = execution.files.count() - MOST_FILES if len(files) > MOST_FILES else 0
    cancelled_by = _cancelled_by(execution) if execution.state == Status.CANCELLED else ""
    return Standing(variables, more_variables, files[:MOST_FILES], more_files, cost_of(execution), cancelled_by)


def _variables(execution_id: UUID) -> tuple[list[Variable], int]:
    """The first by name, and how many more there are."""
    given: dict[str, UUID | int] = {"execution": execution_id, "longest": LONGEST_VALUE, "most": MOST_VARIABLES}
    with connection.cursor() as cursor:
        cursor.execute(_VARIABLES, given)
        rows = cursor.fetchall()
    total = rows[0][3] if rows else 0
    return [Variable(name, shown, length) for name, shown, length, _ in rows], total - len(rows)


def _cancelled_by(execution: Execution) -> str:
    ends = Activity.objects.filter(execution=execution, type="status_changed").order_by("-number")
    last = ends.values_list("payload", flat=True).first() or {}
    return str(last.get("cancelledPayload", {}).get("reason", ""))
