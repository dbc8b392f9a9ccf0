"""What can be noted about executions: labels of the organization's, and comments."""

import re
from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.scopes import Scope
from accounts.services.organizations import organization_of
from security import audit
from workflows.models import Comment, Label
from workflows.services.executions import find_execution

COLOR = re.compile(r"#[0-9a-f]{6}")
MOST_LABELS = 200
LONGEST_NAME = 50
LONGEST_COMMENT = 10_000


def list_labels(caller: Caller, *, organization_id: UUID) -> list[Label]:
    """The organization's labels by name."""
    caller.require(Scope.READ)
    organization = organization_of(caller, organization_id)
    return list(Label.objects.filter(organization=organization).select_related("organization").order_by("name"))


def create_label(caller: Caller, *, organization_id: UUID, name: str, color: str = "#6e7781") -> Label:
    caller.require(Scope.WRITE)
    organization = organization_of(caller, organization_id)
    name, color = " ".join(name.split()), color.lower()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"A label's name has 1 to {LONGEST_NAME} characters.", data={"field": "name"})
    if not COLOR.fullmatch(color):
        raise Invalid(f"{color} is not a colour; write it like #1f6feb.", data={"field": "color"})
    if Label.objects.filter(organization=organization).count() >= MOST_LABELS:
        raise Conflict(f"“{organization.name}” already has {MOST_LABELS} labels, the maximum.", code="too_many")
    try:
        with transaction.atomic():
            label = Label.objects.create(organization=organization, name=name, color=color)
            audit.record("label.create", caller=caller, target=f"label:{label.pk}", detail={"name": name})
    except IntegrityError:
        raise Conflict(f"“{organization.name}” has a label “{name}” already.", code="name_taken") from None
    return label


def delete_label(caller: Caller, *, label_id: UUID) -> None:
    """Delete a label, and take it from all executions that have it."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        label = _own_labels(caller).filter(pk=label_id).first()
        if label is None:
            raise NotFound("There is no such label in your organizations.")
        audit.record("label.delete", caller=caller, target=f"label:{label.pk}", detail={"name": label.name})
        label.delete()


def set_labels(caller: Caller, *, execution_id: UUID, label_ids: Sequence[UUID]) -> list[Label]:
    """Have the execution bear these labels of its organization's, and no others."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        execution = find_execution(caller, execution_id)
        found = _own_labels(caller).filter(organization=execution.organization_id, pk__in=label_ids).in_bulk()
        if missing := [label_id for label_id in label_ids if label_id not in found]:
            raise NotFound(f"There is no label {missing[0]} in the execution's organization.")
        execution.labels.set(found.values())
        names = sorted(label.name for label in found.values())
        audit.record("execution.label", caller=caller, target=f"execution:{execution.pk}", detail={"labels": names})
    return sorted(found.values(), key=lambda label: label.name)


def add_comment(caller: Caller, *, execution_id: UUID, content: str, public: bool = False) -> Comment:
    caller.require(Scope.WRITE)
    with transaction.atomic():
        execution = find_execution(caller, execution_id)
        comment = Comment.objects.create(
            execution=execution, user_id=caller.user_id, content=_checked(content), public=public
        )
        _record(caller, "execution.comment", comment)
    return comment


def change_comment(caller: Caller, *, comment_id: UUID, content: str, public: bool | None = None) -> Comment:
    """Write one's own comment anew; whether it is public stays as it is where that is left out."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        comment = _own_comment(caller, comment_id)
        comment.content, comment.updated_at = _checked(content), timezone.now()
        comment.public = comment.public if public is None else public
        comment.save(update_fields=["content", "public", "updated_at"])
        _record(caller, "execution.change_comment", comment)
    return comment


def delete_comment(caller: Caller, *, comment_id: UUID) -> None:
    """Delete one's own comment."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        comment = _own_comment(caller, comment_id)
        _record(caller, "execution.delete_comment", comment)
        comment.delete()


def _own_labels(caller: Caller) -> "QuerySet[Label]":
    # One membership a person and organization: the join never doubles a row.
    return Label.objects.filter(organization__memberships__user_id=caller.user_id)


def _own_comment(caller: Caller, comment_id: UUID) -> Comment:
    comments = Comment.objects.filter(execution__organization__memberships__user_id=caller.user_id, pk=comment_id)
    comment = comments.select_for_update(of=("self",)).first()
    if comment is None:
        raise NotFound("There is no such comment in your organizations.")
    if comment.user_id != caller.user_id:
        raise Forbidden("Somebody else wrote this comment; only they change it.")
    return comment


def _checked(content: str) -> str:
    content = content.strip()
    if not 1 <= len(content) <= LONGEST_COMMENT:
        raise Invalid(f"A comment has 1 to {LONGEST_COMMENT:,} characters.", data={"field": "content"})
    return content


def _record(caller: Caller, action: str, comment: Comment) -> None:
    audit.record(action, caller=caller, target=f"execution:{comment.execution_id}", detail={"comment": str(comment.pk)})
