"""Files of few and endless lines, as an AI task reads them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from tests.agents_hub.factories import member_of
from tests.factories import caller_for
from tests.workflows.factories import ExecutionFactory
from workflows.secrets import Secrets
from workflows.services import files
from workflows.task.actions import MOST_GIVEN
from workflows.task.files import Lines, _lines


@pytest.mark.django_db
def test_one_endless_line_is_cut_and_no_secret_is_cut_in_two(settings: Settings, tmp_path: Path) -> None:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"files": backend}
    execution = ExecutionFactory()
    text = "x" * (MOST_GIVEN - 6) + "s3cr3t-value" + "x" * MOST_GIVEN
    files.upload_context_files(
        caller_for(member_of(execution.organization)),
        execution_id=execution.pk,
        files=[ContentFile(text.encode(), name="a.json")],
    )
    work: Any = SimpleNamespace(id=execution.pk, secrets=Secrets({"TOKEN": "s3cr3t-value"}))
    said = _lines(work, Lines(path="uploads/a.json"))
    assert len(said) < MOST_GIVEN + 100
    assert "s3cr" not in said
    assert said.endswith("[1 lines in all.]")
