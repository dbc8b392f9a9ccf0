"""Staged files while an execution takes them: their content stays until the execution names it."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from pytest_django import Settings

from agents_hub.files.content import storage
from agents_hub.models import StagedFile
from agents_hub.services.staged_files import stage_files
from tests.agents_hub.factories import member_of
from tests.factories import caller_for
from tests.threads import meanwhile, until_one_waits_for_a_lock
from tests.workflows.factories import WorkflowFactory
from workflows.models import ExecutionFile
from workflows.services import executions

pytestmark = pytest.mark.django_db(transaction=True)


def test_whoever_removes_a_staged_file_waits_for_an_execution_that_takes_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"files": backend}
    monkeypatch.setattr("workflows.tasks.nudge", lambda: None)
    workflow = WorkflowFactory()
    organization = workflow.agent.organization
    caller = caller_for(member_of(organization))
    sent: list[Any] = [ContentFile(b"berths", name="a.txt")]
    [staged] = stage_files(caller, organization_id=organization.uid, files=sent)
    with ExitStack() as beside, transaction.atomic():
        executions.start(
            caller, workflow=workflow, inputs={"order": "A-117", "shop": "Rope"}, temp_files=[(staged.pk, "")]
        )
        beside.enter_context(meanwhile(lambda: StagedFile.objects.filter(pk=staged.pk).delete()))
        until_one_waits_for_a_lock()
    assert not StagedFile.objects.exists()
    with storage().open(ExecutionFile.objects.get().storage_name) as stored:
        assert stored.read() == b"berths"
