"""The audit: what an entry holds, that it never changes, and how old ones go."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import Error
from django.utils import timezone
from pytest_django import Settings

from config.celery import app, schedule
from security import audit
from security.models import AuditEntry
from tests.factories import UserFactory, caller_for
from tests.query_plans import plans

pytestmark = pytest.mark.django_db


def test_an_entry_says_who_did_what_through_which_door_and_from_where() -> None:
    user = UserFactory()
    caller = caller_for(user, ip="2001:db8::7", request_id="r-12345678", api_key_id=5, application_id=6)
    audit.record("ticket.close", caller=caller, tool="ticket.close", target="ticket:9", duration_ms=12.5)
    entry = AuditEntry.objects.get()
    assert (entry.user_id, entry.api_key_id, entry.application_id) == (user.pk, 5, 6)
    assert (entry.door, entry.ip) == ("page", "2001:db8::7")
    assert (entry.action, entry.tool, entry.target, entry.outcome) == ("ticket.close", "ticket.close", "ticket:9", "ok")
    assert (entry.request_id, entry.duration_ms) == ("r-12345678", 12.5)


def test_an_entry_holds_no_secret() -> None:
    audit.record("x", caller=None, detail={"token": "hush", "note": "Bearer hush", "list": [{"apiKey": "hush"}]})
    assert "hush" not in str(AuditEntry.objects.get().detail)


def test_an_entry_takes_what_the_database_could_not() -> None:
    hostile = {"nul\x00": "a\x00b", "half": "\ud800", "nan": float("nan"), "far": [float("inf")], "bytes": b"\xff"}
    audit.record("x", caller=None, target="t\x00", detail=hostile)
    detail = AuditEntry.objects.get().detail
    assert detail["nan"] == "nan"
    assert detail["half"] == "?"
    assert detail["nul\ufffd"] == "a\ufffdb"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE security_auditentry SET outcome = 'ok'",
        "DELETE FROM security_auditentry",
        "UPDATE security_auditentry SET id = id + 1",
    ],
)
def test_an_entry_is_neither_changed_nor_taken_away(change: str) -> None:
    audit.record("x", caller=None, outcome="refused")
    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert AuditEntry.objects.get().outcome == "refused"


def test_pruning_takes_the_old_ones_alone_and_says_so() -> None:
    now = timezone.now()
    audit.store(
        AuditEntry(action=f"{days} days ago", outcome="ok", door="task", at=now - timedelta(days=days))
        for days in (1, 29, 31, 400)
    )
    told = StringIO()
    call_command("audit", "prune", "--days", "30", stdout=told)
    assert "2 entries older than 30 days" in told.getvalue()
    kept = list(AuditEntry.objects.order_by("id").values_list("action", "detail__entries"))
    assert kept == [("1 days ago", None), ("29 days ago", None), ("audit.prune", 2)]


@pytest.mark.parametrize(("kept_days", "left"), [(30, ["today", "audit.prune"]), (0, ["long ago", "today"])])
def test_the_schedule_lets_go_what_is_older_than_the_setting_and_nothing_where_it_is_zero(
    settings: Settings, kept_days: int, left: list[str]
) -> None:
    settings.AUDIT_RETENTION_DAYS = kept_days
    now = timezone.now()
    audit.store(
        AuditEntry(action=action, outcome="ok", door="task", at=at)
        for action, at in (("long ago", now - timedelta(days=31)), ("today", now))
    )
    (due,) = (entry for entry in schedule().values() if entry["task"] == "security.tasks.prune_audit")
    app.tasks[due["task"]].apply(throw=True)
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == left


def test_pruning_opens_no_door_for_what_comes_after_it() -> None:
    audit.record("x", caller=None)
    call_command("audit", "prune", "--days", "1", stdout=StringIO())
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        AuditEntry.objects.all().delete()


def test_the_audit_keeps_a_day_at_least() -> None:
    with pytest.raises(CommandError, match="one day"):
        call_command("audit", "prune", "--days", "0")


def test_a_person_sees_their_own_entries_and_an_operator_all() -> None:
    one, other, operator = UserFactory(), UserFactory(), UserFactory(is_staff=True)
    for user in (one, other):
        audit.record("x", caller=caller_for(user))
    assert list(AuditEntry.objects.visible_to(one).values_list("user_id", flat=True)) == [one.pk]
    assert AuditEntry.objects.visible_to(operator).count() == 2


def test_a_change_that_is_undone_leaves_no_entry() -> None:
    with transaction.atomic():
        audit.record("x", caller=None)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_what_happened_to_one_thing_comes_from_an_index_in_its_order() -> None:
    audit.store(
        audit.entry("profile.update", caller=None, target=f"profile:{number % 100}" if number % 2 else "")
        for number in range(20_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE security_auditentry")
    with plans("security_auditentry") as found:
        newest = list(AuditEntry.objects.about("profile:7")[:20])
    assert [entry.target for entry in newest] == ["profile:7"] * 20
    [plan] = found
    assert "audit_by_target" in plan
    assert "Sort" not in plan
