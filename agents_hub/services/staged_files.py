"""Files waiting for an execution to take them: there for an hour, refused from that moment, swept soon after."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import NotFound
from accounts.scopes import Scope
from accounts.services.organizations import organization_of
from agents_hub.files import content
from agents_hub.models import StagedFile
from agents_hub.services.quota import make_room
from agents_hub.services.sweeping import sweep
from security import audit

KEPT_FOR = timedelta(minutes=60)


def stage_files(caller: Caller, *, organization_id: UUID, files: "Sequence[File[Any]]") -> list[StagedFile]:
    """Keep files for an execution that has not begun: all of them, or, where one cannot be, none."""
    caller.require(Scope.WRITE)
    organization = organization_of(caller, organization_id)
    with content.keeping(files) as kept, transaction.atomic():
        make_room(organization.pk, sum(one.size for one in kept))
        expires_at = timezone.now() + KEPT_FOR
        staged = [
            StagedFile.objects.create(
                organization=organization, staged_by_id=caller.user_id, expires_at=expires_at, **one.fields()
            )
            for one in kept
        ]
        detail = {"files": [{"name": one.name, "size": one.size} for one in staged]}
        audit.record("staged_file.stage", caller=caller, target=f"organization:{organization.pk}", detail=detail)
    return staged


def find_staged_files(caller: Caller, *, file_ids: Sequence[UUID]) -> list[StagedFile]:
    """The files in the order asked for. `NotFound` where one is somebody else's or its hour is over."""
    caller.require(Scope.READ)
    rows = StagedFile.objects.for_caller(caller).filter(pk__in=file_ids, expires_at__gt=timezone.now()).in_bulk()
    missing = [file_id for file_id in file_ids if file_id not in rows]
    if missing:
        raise NotFound(
            f"There is no staged file {missing[0]} in your organizations; one is kept for an hour. Stage it again."
        )
    return [rows[file_id] for file_id in file_ids]


def sweep_staged_files() -> int:
    """Delete those whose hour is over, with their content. Returns how many there were."""
    due = StagedFile.objects.filter(expires_at__lte=timezone.now()).order_by("expires_at")
    return sweep(due)
