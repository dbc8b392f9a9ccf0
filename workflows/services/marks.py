"""What can be noted about executions: labels of the organization's, and comments."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.scopes import Scope
from accounts.services.organizations import is_admin, organization_of, organizations_of
from security import audit
from workflows.models import Comment, Label
from workflows.services.executions import lock_execution

COLOR = re.compile(r"#[0-9a-f]{6}")
MOST_LABELS = 200
LONGEST_NAME = 50
DEFAULT_COLOR = "#6e7781"
LONGEST_COMMENT = 10_000
# Of one execution: they all go with it wherever it is shown.
MOST_COMMENTS = 200


def list_labels(caller: Caller, *, organization_id: UUID) -> list[Label]:
    """The organization's labels by name."""
    caller.require(Scope.READ)
    organization = organization_of(caller, organization_id)
    return list(Label.objects.filter(organization=organization).select_related("organization").order_by("name"))


def find_label(caller: Caller, label_id: UUID, *, lock: bool = False) -> Label:
    """The label with its organization; `NotFound` for another organization's."""
    caller.require(Scope.READ)
    labels = _own_labels(caller).select_related("organization")
    label = (labels.select_for_update(of=("self",)) if lock else labels).filter(pk=label_id).first()
    if label is None:
        raise NotFound("There is no such label in your organizations.")
    return label


def labels_named(caller: Caller, names: Sequence[str], *, organization_id: UUID | None = None) -> list[Label]:
    """The labels of these names, of one organization or of all of the caller's; each name has to be one's."""
    caller.require(Scope.READ)
    labels = Label.objects.filter(organization_id__in=organizations_of(caller, organization_id), name__in=names)
    found = list(labels.order_by("name"))
    if missing := sorted(set(names) - {label.name for label in found}):
        raise NotFound(f"There is no label “{missing[0]}” in your organizations.")
    return found


def create_label(caller: Caller, *, organization_id: UUID, name: str, color: str = DEFAULT_COLOR) -> Label:
    caller.require(Scope.WRITE)
    organization = organization_of(caller, organization_id)
    label = Label(organization=organization, name=_checked_name(name), color=_checked_color(color))
    if Label.objects.filter(organization=organization).count() >= MOST_LABELS:
        raise Conflict(f"“{organization.name}” already has {MOST_LABELS} labels, the maximum.", code="too_many")
    with transaction.atomic():
        _save(label, force_insert=True)
        audit.record("label.create", caller=caller, target=f"label:{label.pk}", detail={"name": label.name})
    return label


def change_label(caller: Caller, *, label_id: UUID, name: str | None = None, color: str | None = None) -> Label:
    """Rename or recolour a label wherever it is; what is left out stays as it is."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        label = find_label(caller, label_id, lock=True)
        label.name = label.name if name is None else _checked_name(name)
        label.color = label.color if color is None else _checked_color(color)
        _save(label, update_fields=["name", "color"])
        detail = {"name": label.name, "color": label.color}
        audit.record("label.update", caller=caller, target=f"label:{label.pk}", detail=detail)
    return label


def delete_label(caller: Caller, *, label_id: UUID) -> None:
    """Delete a label, and take it from all executions that have it."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        label = find_label(caller, label_id, lock=True)
        audit.record("label.delete", caller=caller, target=f"label:{label.pk}", detail={"name": label.name})
        label.delete()


def set_labels(caller: Caller, *, execution_id: UUID, label_ids: Sequence[UUID]) -> list[Label]:
    """Have the execution bear these labels of its organization's, and no others."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        # Held, so that whoever does the same beside us comes after; and the labels, so that none is deleted meanwhile.
        execution = lock_execution(caller, execution_id)
        own = _own_labels(caller).filter(organization_id=execution.organization_id, pk__in=label_ids).order_by("pk")
        found = own.select_for_update(of=("self",), no_key=True).in_bulk()
        if missing := [label_id for label_id in label_ids if label_id not in found]:
            raise NotFound(f"There is no label {missing[0]} in the execution's organization.")
        execution.labels.set(found.values())
        names = sorted(label.name for label in found.values())
        audit.record("execution.label", caller=caller, target=f"execution:{execution.pk}", detail={"labels": names})
    return sorted(found.values(), key=lambda label: label.name)


def add_comment(caller: Caller, *, execution_id: UUID, content: str, public: bool = False) -> Comment:
    caller.require(Scope.WRITE)
    content = _checked(content)
    with transaction.atomic():
        execution = lock_execution(caller, execution_id)
        if execution.comments.count() >= MOST_COMMENTS:
            raise Conflict(f"The execution already has {MOST_COMMENTS} comments, the maximum.", code="too_many")
        comment = Comment.objects.create(execution=execution, user_id=caller.user_id, content=content, public=public)
        _record(caller, "execution.comment", comment)
    return comment


def find_comment(caller: Caller, comment_id: UUID, *, execution_id: UUID | None = None, lock: bool = False) -> Comment:
    """The comment with whoever wrote it; `NotFound` for another organization's, and for another execution's."""
    caller.require(Scope.READ)
    # One membership a person and organization: the join never doubles a row.
    comments = Comment.objects.filter(execution__organization__memberships__user_id=caller.user_id)
    if execution_id is not None:
        comments = comments.filter(execution=execution_id)
    comments = comments.select_related("user", "execution").filter(pk=comment_id)
    comment = (comments.select_for_update(of=("self",)) if lock else comments).first()
    if comment is None:
        raise NotFound("There is no such comment in your organizations.")
    return comment


def change_comment(
    caller: Caller,
    *,
    comment_id: UUID,
    execution_id: UUID | None = None,
    content: str | None = None,
    public: bool | None = None,
) -> Comment:
    """Write one's own comment anew; what is left out stays as it is."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        comment = find_comment(caller, comment_id, execution_id=execution_id, lock=True)
        if not is_own(caller, comment):
            raise Forbidden("Somebody else wrote this comment; only they can change it.")
        comment.content = comment.content if content is None else _checked(content)
        comment.public = comment.public if public is None else public
        comment.updated_at = timezone.now()
        comment.save(update_fields=["content", "public", "updated_at"])
        _record(caller, "execution.change_comment", comment)
    return comment


def delete_comment(caller: Caller, *, comment_id: UUID, execution_id: UUID | None = None) -> None:
    """Delete one's own comment or, for admins of its organization, anybody's."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        comment = find_comment(caller, comment_id, execution_id=execution_id, lock=True)
        if not may_delete(caller, comment):
            raise Forbidden("Somebody else wrote this comment; they can delete it, and admins of the organization.")
        _record(caller, "execution.delete_comment", comment)
        comment.delete()


def is_own(caller: Caller, comment: Comment) -> bool:
    return comment.user_id == caller.user_id


def may_delete(caller: Caller, comment: Comment) -> bool:
    """Whether the caller may delete the comment, of an execution of theirs."""
    return is_own(caller, comment) or is_admin(caller, comment.execution.organization_id)


def _own_labels(caller: Caller) -> "QuerySet[Label]":
    # One membership a person and organization: the join never doubles a row.
    return Label.objects.filter(organization__memberships__user_id=caller.user_id)


def _save(label: Label, **how: Any) -> None:
    try:
        with transaction.atomic():
            label.save(**how)
    except IntegrityError:
        raise Conflict(
            f"“{label.organization.name}” has a label “{label.name}” already.",
            code="name_taken",
            data={"field": "name"},
        ) from None


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"A label's name has 1 to {LONGEST_NAME} characters.", data={"field": "name"})
    return name


def _checked_color(color: str) -> str:
    color = color.strip().lower()
    if not COLOR.fullmatch(color):
        raise Invalid(f"{color or 'Nothing'} is not a colour; write it like #1f6feb.", data={"field": "color"})
    return color


def _checked(content: str) -> str:
    content = content.strip()
    if not 1 <= len(content) <= LONGEST_COMMENT:
        raise Invalid(f"A comment has 1 to {LONGEST_COMMENT:,} characters.", data={"field": "content"})
    return content


def _record(caller: Caller, action: str, comment: Comment) -> None:
    audit.record(action, caller=caller, target=f"execution:{comment.execution_id}", detail={"comment": str(comment.pk)})
