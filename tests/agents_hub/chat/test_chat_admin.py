"""Chats in the admin: operators see that people talked, and superusers alone what they said."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agents_hub.models import (
    Conversation,
    Grant,
    Message,
    ToolUse,
    Turn,
    TurnCall,
    TurnEvent,
    TurnStep,
)
from security.models import AuditEntry
from tests.agents_hub.factories import ConversationFactory, inquiry_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
SAID = "under-the-oak"


@pytest.fixture
def rows() -> list[Model]:
    """One row of everything of a conversation in which somebody said where the treasure is."""
    conversation: Conversation = ConversationFactory(title=SAID, draft=SAID)
    turn: Turn = conversation.turns.get()
    Message.objects.filter(conversation=conversation).update(text=SAID)
    said = {"text": SAID}
    inquiry = inquiry_of(conversation)
    inquiry.message, inquiry.schema, inquiry.answer, inquiry.url = SAID, said, said, f"https://example.com/{SAID}"
    inquiry.save()
    ToolUse.objects.filter(turn=turn).update(arguments=said, result=said)
    return [
        conversation,
        conversation.messages.earliest("id"),
        turn,
        inquiry,
        ToolUse.objects.get(turn=turn),
        TurnStep.objects.create(turn=turn, number=1, kind=TurnStep.Kind.SUMMARY, body=said),
        TurnEvent.objects.create(turn=turn, number=1, kind="text", body=said),
        TurnCall.objects.create(turn=turn, number=1, question=said, answer=said, duration_ms=1),
        Grant.objects.create(conversation=conversation, tool="printer_1__echo", digest="0" * 64),
    ]


@pytest.fixture
def operator(client: Client) -> Client:
    """Staff who may look at every row of every table, and are no superuser."""
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    person.user_permissions.add(*Permission.objects.filter(codename="delete_user"))
    client.force_login(person)
    return client


def pages_of(row: Model) -> list[str]:
    kind = row._meta.model_name
    return [
        reverse(f"admin:agents_hub_{kind}_changelist"),
        reverse(f"admin:agents_hub_{kind}_change", args=[row.pk]),
    ]


def test_what_was_said_is_on_no_page_of_an_operator_who_is_no_superuser(operator: Client, rows: list[Model]) -> None:
    for row in rows:
        for page in pages_of(row):
            answer = operator.get(page)
            assert answer.status_code == 200, page
            assert SAID not in answer.content.decode(), page
    assert not AuditEntry.objects.filter(action="chat.read_by_operator").exists()


def test_nobody_finds_out_by_searching_or_filtering_what_was_said(operator: Client, rows: list[Model]) -> None:
    for row in rows:
        listed = pages_of(row)[0]
        assert str(_shown(row)) in operator.get(listed).content.decode()
        assert str(_shown(row)) not in operator.get(listed, {"q": SAID}).content.decode()
        row.refresh_from_db()
        for field in [name for name, value in vars(row).items() if SAID in str(value)]:
            refused = operator.get(listed, {f"{field}__startswith": SAID[0]})
            assert refused.status_code in (302, 400)


def test_deleting_a_person_does_not_show_what_they_said(operator: Client, rows: list[Model]) -> None:
    conversation: Any = rows[0]
    page = operator.get(reverse("admin:accounts_user_delete", args=[conversation.owner_id]))
    assert page.status_code == 200
    assert SAID not in page.content.decode()


def test_a_superuser_reads_it_and_the_audit_says_so(client: Client, rows: list[Model]) -> None:
    person = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(person)
    for row in rows:
        listed, change = pages_of(row)
        assert SAID not in client.get(listed).content.decode()
        is_said = not isinstance(row, Turn | Grant)
        assert (SAID in client.get(change).content.decode()) == is_said
        kept = AuditEntry.objects.filter(action="chat.read_by_operator", target=f"{row._meta.model_name}:{row.pk}")
        assert list(kept.values_list("user_id", flat=True)) == [person.pk] * is_said


def test_rows_are_found_by_ids_and_by_a_persons_whole_address(operator: Client, rows: list[Model]) -> None:
    conversation: Any = rows[0]
    other = ConversationFactory()
    for term in (str(conversation.pk), conversation.owner.email, conversation.owner.email.upper()):
        found = operator.get(reverse("admin:agents_hub_turn_changelist"), {"q": term}).content.decode()
        assert str(conversation.turns.get().pk) in found
        assert str(other.turns.get().pk) not in found


def test_lists_take_as_many_queries_however_many_rows_there_are(operator: Client, rows: list[Model]) -> None:
    with CaptureQueriesContext(connection) as one:
        operator.get(reverse("admin:agents_hub_conversation_changelist"))
    for _ in range(5):
        inquiry_of(ConversationFactory())
    with CaptureQueriesContext(connection) as six:
        operator.get(reverse("admin:agents_hub_conversation_changelist"))
    assert len(six) == len(one)


def test_nothing_of_a_chat_is_written_in_the_admin(client: Client, rows: list[Model]) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    for row in rows:
        assert client.post(pages_of(row)[1], {"status": "completed", "text": "X"}).status_code == 403
        deleting = reverse(f"admin:agents_hub_{row._meta.model_name}_delete", args=[row.pk])
        assert client.post(deleting, {"post": "yes"}).status_code == 403


def _shown(row: Model) -> Any:
    """What a list shows of a row: its own id, or that of what it belongs to."""
    if isinstance(row, TurnStep | TurnEvent | TurnCall):
        return row.turn_id
    return row.conversation_id if isinstance(row, Grant) else row.pk
