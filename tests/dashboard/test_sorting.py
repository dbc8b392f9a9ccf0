"""Lists that are sorted by following the head of a column."""

from typing import Any

import pytest
from django.test import Client, RequestFactory

from accounts.models import User
from dashboard.sorting import Direction, sorting
from security.models import AuditEntry
from tests.factories import UserFactory

COLUMNS: dict[str, Direction] = {"name": "asc", "created": "desc"}


@pytest.mark.parametrize(
    ("asked", "field", "direction", "kept"),
    [
        ("", "name", "asc", ""),
        ("?sort=name", "name", "asc", ""),
        ("?sort=-name", "name", "desc", "-name"),
        ("?sort=created", "created", "asc", "created"),
        ("?sort=-created", "created", "desc", "-created"),
        ("?sort=password", "name", "asc", ""),
        ("?sort=--name", "name", "asc", ""),
    ],
)
def test_an_order_is_one_of_the_lists_columns(asked: str, field: str, direction: str, kept: str) -> None:
    order = sorting(RequestFactory().get(f"/{asked}"), COLUMNS)
    assert (order.field, order.direction, order.value) == (field, direction, kept)


def test_a_head_leads_to_its_own_order_and_then_the_other_way_round() -> None:
    order = sorting(RequestFactory().get("/"), COLUMNS)
    assert [order.said_of(column) for column in COLUMNS] == ["ascending", ""]
    assert order.after("name").value == "-name"
    assert order.after("created").value == "-created"
    assert order.after("created").after("created").value == "created"
    assert order.after("name").after("name").value == ""


def seen(answer: Any) -> list[str]:
    return [line["entry"].action for line in answer.context["lines"]]


@pytest.mark.django_db
def test_the_audit_is_turned_round_by_its_head_and_stays_so_on_the_next_page(client: Client) -> None:
    person: User = UserFactory.create()
    client.force_login(person)
    for number in range(70):
        AuditEntry(user_id=person.pk, door="page", action=f"act.{number:02}", outcome="ok").save()
    newest = client.get("/dashboard/audit?outcome=ok")
    assert 'aria-sort="descending"><a href="?outcome=ok&amp;sort=when">When' in newest.content.decode()
    oldest = client.get("/dashboard/audit?outcome=ok&sort=when")
    assert 'aria-sort="ascending"><a href="?outcome=ok">When' in oldest.content.decode()
    assert '<input type="hidden" name="sort" value="when">' in oldest.content.decode()
    cursor = oldest.context["next_cursor"]
    rest = client.get(f"/dashboard/audit?outcome=ok&sort=when&cursor={cursor}")
    assert seen(oldest) + seen(rest) == [f"act.{number:02}" for number in range(70)]
    # A cursor of the one order is none of the other's.
    assert seen(client.get(f"/dashboard/audit?cursor={cursor}")) == seen(newest)
