"""Finding executions: every filter of the contract over an index of the organization's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from accounts.caller import Caller
from accounts.errors import Invalid, NotFound
from accounts.scopes import Scope
from accounts.services.organizations import organizations_of
from agents_hub.services.agents import find_agent
from dashboard.numbered_pages import NumberedPage, numbered, ordering
from security.identifiers import uuid_or_none
from workflows.models import Activity, Comment, Execution, Label, Workflow

# So few that fit a filter without an index are put in order here. Of more, a walk along the index of the order soon
# meets a page; for few it would fetch nearly every row, one by one.
FEW = 1_000


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; what is left out is not asked."""

    organization_id: UUID | None = None
    execution_id: str = ""
    agent_id: UUID | None = None
    status: Sequence[str] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    human_labels: Sequence[UUID] = ()
    outcome_label: str = ""
    metadata_key: str = ""
    metadata_value: str = ""
    inputs_key: str = ""
    inputs_value: str = ""
    workflow_version: int | None = None

    @property
    def read_rows(self) -> bool:
        """Whether what is looked for has no index: a part of an id, of an outcome, or of an input."""
        return bool(
            self.outcome_label or self.inputs_key or (self.execution_id and uuid_or_none(self.execution_id) is None)
        )


def list_executions(
    caller: Caller,
    filters: Filters,
    *,
    sort_field: Literal["created_at", "status"] = "created_at",
    sort_direction: Literal["asc", "desc"] = "desc",
    page: int = 1,
    page_size: int = 10,
) -> NumberedPage[Execution]:
    """One page of what fits all filters."""
    caller.require(Scope.READ)
    _refuse_strangers(caller, filters)
    own = Execution.objects.filter(organization_id__in=organizations_of(caller, filters.organization_id))
    found = filtered(own, filters)
    order = ordering(sort_field, sort_direction)
    few = _few(found, sort_field) if filters.read_rows else None
    if few is None:
        return numbered(with_relations(found), order=order, number=page, size=page_size)
    few.sort(reverse=sort_direction == "desc")
    begin = (page - 1) * page_size
    shown = [pk for _, pk in few[begin : begin + page_size]]
    rows = with_relations(own.filter(pk__in=shown)).order_by(*order)
    return NumberedPage(list(rows), page, page_size, len(few))


def _few(found: "QuerySet[Execution]", sort: str) -> list[tuple[Any, UUID]] | None:
    """All that were found, by what they are sorted by and their ids; nothing where they are more than `FEW`.

    Without an order it is one pass over the rows, which ends early where many fit.
    """
    few = list(found.order_by().values_list(sort, "pk")[: FEW + 1])
    return few if len(few) <= FEW else None


def with_relations(executions: "QuerySet[Execution]") -> "QuerySet[Execution]":
    """With all that an execution's shape shows, in a fixed number of queries."""
    return (
        executions.select_related("organization", "agent", "profile", "runner", "api_key", "workflow")
        .defer("variables", *Workflow.content_of("workflow"))
        .prefetch_related(
            Prefetch("labels", Label.objects.select_related("organization").order_by("name")),
            Prefetch("comments", Comment.objects.select_related("user").order_by("id")),
            # By the parents' ids, of each the first: asked beside each row it would read all executions there are, and
            # of one that a program runs again and again all reruns.
            Prefetch("reruns", Execution.objects.order_by("parent").distinct("parent").only("id", "parent")),
        )
    )


def filtered(executions: "QuerySet[Execution]", filters: Filters) -> "QuerySet[Execution]":
    _refuse_halves(filters)
    if filters.execution_id:
        executions = _by_part_of_id(executions, filters.execution_id.lower())
    if filters.agent_id is not None:
        executions = executions.filter(agent_id=filters.agent_id)
    if filters.status:
        executions = executions.filter(status__in=filters.status)
    if filters.created_after is not None:
        executions = executions.filter(created_at__gte=filters.created_after)
    if filters.created_before is not None:
        executions = executions.filter(created_at__lte=filters.created_before)
    if filters.human_labels:
        executions = executions.filter(
            Exists(
                Label.executions.through.objects.filter(execution_id=OuterRef("pk"), label_id__in=filters.human_labels)
            )
        )
    if filters.outcome_label:
        executions = executions.filter(outcome__icontains=filters.outcome_label)
    if filters.metadata_key:
        executions = executions.filter(metadata__contains={filters.metadata_key: filters.metadata_value})
    if filters.inputs_key:
        executions = executions.annotate(input_text=KeyTextTransform(filters.inputs_key, "inputs")).filter(
            input_text__icontains=filters.inputs_value
        )
    if filters.workflow_version is not None:
        executions = executions.filter(workflow__version=filters.workflow_version)
    return executions


def list_activities(
    caller: Caller,
    *,
    execution_id: UUID,
    order: Literal["asc", "desc"] = "asc",
    limit: int = 100,
    after: int | None = None,
) -> list[Activity]:
    """The activities of an execution that was found as the caller's, in the order of their numbers, those that come
    after the number `after` in it."""
    caller.require(Scope.READ)
    found = Activity.objects.filter(execution_id=execution_id)
    if after is not None:
        found = found.filter(number__gt=after) if order == "asc" else found.filter(number__lt=after)
    return list(found.order_by("number" if order == "asc" else "-number")[:limit])


def number_of(execution_id: UUID, activity_id: UUID) -> int:
    """The number of one of the execution's activities."""
    number = Activity.objects.filter(execution_id=execution_id, pk=activity_id).values_list("number", flat=True).first()
    if number is None:
        raise NotFound(f"The execution has no activity {activity_id} to continue after.")
    return number


def _by_part_of_id(executions: "QuerySet[Execution]", part: str) -> "QuerySet[Execution]":
    """By the whole id, or by any part of it: that reads the organization's rows."""
    whole = uuid_or_none(part)
    if whole is not None:
        return executions.filter(pk=whole)
    return executions.annotate(id_text=Cast("id", TextField())).filter(id_text__contains=part)


def _refuse_strangers(caller: Caller, filters: Filters) -> None:
    """An agent or label of somebody else's is not found, as everywhere."""
    if filters.agent_id is not None:
        find_agent(caller, filters.agent_id)
    asked = set(filters.human_labels)
    if asked:
        own = Label.objects.filter(organization__memberships__user_id=caller.user_id, pk__in=asked)
        if missing := asked - set(own.values_list("pk", flat=True)):
            raise NotFound(f"There is no label {min(missing)} in your organizations.")


def _refuse_halves(filters: Filters) -> None:
    for name in ("metadata", "inputs"):
        key, value = getattr(filters, f"{name}_key"), getattr(filters, f"{name}_value")
        if bool(key) != bool(value):
            raise Invalid(f"Give {name}Key and {name}Value together, or neither.", data={"field": f"{name}Key"})
