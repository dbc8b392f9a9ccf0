"""What of an organization's executions a person wants to see first: those that wait for somebody, and the latest."""

from uuid import UUID

from accounts.caller import Caller
from accounts.scopes import Scope
from accounts.services.organizations import organizations_of
from workflows.engine.states import Status
from workflows.models import Execution, Workflow
from workflows.models.executions import ExecutionQuerySet

# What those that wait for people are in; those that wait for a time are in the first of them, too.
WAITING = (Status.PAUSED_BY_AGENT, Status.AWAITING_CONFIRMATION)


def waiting_for_people(caller: Caller, *, organization_id: UUID, limit: int) -> list[Execution]:
    """Those that ask something or wait to be confirmed, the oldest first."""
    own = _own(caller, organization_id)
    asking = own.filter(status=Status.PAUSED_BY_AGENT, waiting_for__questions__0__isnull=False)
    unconfirmed = own.filter(status=Status.AWAITING_CONFIRMATION)
    # One after the other, as their index has them: of both together all that wait would be read and put in order.
    found = [*asking.order_by("id")[:limit], *unconfirmed.order_by("id")[:limit]]
    return sorted(found, key=lambda execution: execution.pk)[:limit]


def latest(caller: Caller, *, organization_id: UUID, limit: int) -> list[Execution]:
    return list(_own(caller, organization_id).order_by("-created_at", "-id")[:limit])


def _own(caller: Caller, organization_id: UUID) -> ExecutionQuerySet:
    caller.require(Scope.READ)
    own = Execution.objects.filter(organization_id__in=organizations_of(caller, organization_id))
    return own.select_related("agent", "workflow").defer(
        "variables", "inputs", "metadata", "result", *Workflow.content_of("workflow")
    )
