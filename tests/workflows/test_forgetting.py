"""Executions that ended long ago are forgotten where the operator says so, with all that belongs to them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from agents_hub.files.content import storage
from tests.factories import UserFactory
from tests.file_storage import keep_files_in
from tests.query_plans import plans
from tests.workflows.factories import ExecutionFactory, ExecutionFileFactory, ScheduleFactory, WebhookEndpointFactory
from workflows import tasks
from workflows.models import (
    Activity,
    Comment,
    Execution,
    ExecutionFile,
    Label,
    ScheduleRun,
    Step,
    UserMessage,
    WebhookDelivery,
)
from workflows.services import forgetting

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(autouse=True)
def _kept_for_thirty_days(settings: Settings, tmp_path: Path) -> None:
    settings.EXECUTIONS_RETENTION_DAYS = 30
    keep_files_in(tmp_path, settings)


def ended(days: int, **fields: Any) -> Execution:
    """One that ended so many days ago."""
    at = NOW - timedelta(days=days)
    made: Execution = ExecutionFactory(status="completed", created_at=at - timedelta(hours=1), terminal_at=at, **fields)
    return made


def left() -> set[Execution]:
    return set(Execution.objects.all())


def test_what_ended_long_ago_goes_with_all_that_belongs_to_it(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    old, young = ended(31), ended(29)
    alive: Execution = ExecutionFactory(status="paused", created_at=NOW - timedelta(days=400))
    rerun = ended(1, workflow=old.workflow, parent=old)
    name = storage().save("aa/tides", ContentFile(b"a,b"))
    ExecutionFileFactory(execution=old, storage_name=name)
    shared = storage().save("aa/shared", ContentFile(b"c"))
    for execution in (old, young):
        ExecutionFileFactory(execution=execution, storage_name=shared)
    Activity.objects.create(execution=old, number=1, type="generic")
    Step.objects.create(execution=old, number=1, node_id="n", node_type="api", fence=1, started_at=NOW)
    UserMessage.objects.create(execution=old, user=UserFactory(), text="Hello")
    Comment.objects.create(execution=old, content="Hello")
    Label.objects.create(organization=old.organization, name="Checked").executions.add(old)
    run = ScheduleRun.objects.create(schedule=ScheduleFactory(agent=old.agent), execution=old, due_at=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.forget_old_executions()
    assert left() == {young, alive, rerun}
    for model in (Activity, Step, UserMessage, Comment, Label.executions.through):
        assert not model.objects.exists()
    assert ExecutionFile.objects.count() == 1
    # Content goes with the last row that names it.
    assert (storage().exists(name), storage().exists(shared)) == (False, True)
    rerun.refresh_from_db()
    run.refresh_from_db()
    assert (rerun.parent, run.execution) == (None, None)


def test_nothing_goes_while_its_end_has_not_been_seen_to() -> None:
    unshared, unsent, given_up = ended(31), ended(31), ended(31)
    ExecutionFileFactory(execution=unshared, is_to_be_shared=True)
    reached = WebhookEndpointFactory(organization=unsent.organization)
    off = WebhookEndpointFactory(organization=given_up.organization, enabled=False)
    for endpoint, execution in ((reached, unsent), (off, given_up)):
        WebhookDelivery.objects.create(endpoint=endpoint, execution=execution, event="completed")
    tasks.forget_old_executions()
    assert left() == {unshared, unsent}


def test_they_are_kept_for_ever_unless_the_operator_says_otherwise(settings: Settings) -> None:
    settings.EXECUTIONS_RETENTION_DAYS = 0
    kept = ended(4_000)
    tasks.forget_old_executions()
    assert left() == {kept}


def test_many_go_in_batches_by_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    first = ended(40)
    for _ in range(4):
        ended(31, workflow=first.workflow)
    with connection.cursor() as cursor:
        # Of five rows it would read all in any case.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    with plans("workflows_execution") as found:
        assert forgetting.forget_executions(NOW - timedelta(days=30)) == 5
    assert any("execution_by_end" in plan for plan in found)
    assert not left()
