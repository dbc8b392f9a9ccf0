"""Files of messages: attached by their owner alone, sent with one message, gone with it or after an hour."""

import threading
from datetime import timedelta
from pathlib import Path
from unittest import mock
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound, PlanLimit, ScopeMissing
from accounts.models import Membership
from accounts.scopes import Scope
from agents_hub.files import links
from agents_hub.models import Agent, Attachment, AttachmentKind, Conversation, Stage
from agents_hub.services import attachments, quota
from agents_hub.tasks import delete_unsent_attachments
from security.models import AuditEntry
from tests.agents_hub.content import samples
from tests.agents_hub.content.conftest import attached, contents, conversation_of, file, said
from tests.agents_hub.factories import member_of
from tests.factories import caller_for
from tests.threads import SECONDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague(agent: Agent) -> Caller:
    """Of the same organization, and with the same agent."""
    return caller_for(member_of(agent.organization))


def send(caller: Caller, conversation: Conversation, *rows: Attachment) -> list[Attachment]:
    with transaction.atomic():
        message = said(conversation)
        return attachments.claim(caller, attachment_ids=[row.pk for row in rows], message=message)


def test_a_file_is_kept_with_what_a_model_can_read_of_it(
    caller: Caller, conversation: Conversation, folder: Path
) -> None:
    text, picture = attached(caller, conversation, file(), file(samples.PNG_PIXEL, "../../etc/../dot.png"))
    assert (text.name, text.kind, text.mime_type, text.text) == ("tides.txt", "text", "text/plain", "tide tables")
    assert (picture.name, picture.kind, picture.mime_type, picture.text) == ("dot.png", "image", "image/png", "")
    assert contents(folder) == sorted([b"tide tables", samples.PNG_PIXEL])
    assert AuditEntry.objects.get(action="attachment.add").detail["files"][0] == {"name": "tides.txt", "size": 11}


def test_files_can_be_attached_before_there_is_a_conversation(caller: Caller, agent: Agent) -> None:
    (row,) = attachments.attach(caller, files=[file()], agent_id=agent.pk)
    assert (row.conversation, row.organization_id) == (None, agent.organization_id)
    conversation = conversation_of(agent, caller)
    assert send(caller, conversation, row)[0].conversation == conversation
    Agent.objects.update(stage=Stage.DEVELOPMENT)
    with pytest.raises(NotFound):
        attachments.attach(caller, files=[file()], agent_id=agent.pk)
    with pytest.raises(Invalid):
        attachments.attach(caller, files=[file()])


def test_where_one_file_is_refused_none_is_kept(caller: Caller, conversation: Conversation, folder: Path) -> None:
    with pytest.raises(Invalid):
        attached(caller, conversation, file(), file(samples.docx(10), "letter.docx"))
    assert not Attachment.objects.exists()
    assert contents(folder) == []


def test_sent_files_are_their_messages_in_the_order_given(caller: Caller, conversation: Conversation) -> None:
    first, second = attached(caller, conversation, file(), file(b"b", "b.txt"))
    assert attachments.unsent(caller, conversation_id=conversation.pk) == [first, second]
    with transaction.atomic():
        message = said(conversation)
        attachments.claim(caller, attachment_ids=[second.pk, first.pk, second.pk], message=message)
    assert attachments.of_messages([message.pk]) == {message.pk: [second, first]}
    assert attachments.unsent(caller, conversation_id=conversation.pk) == []


def test_the_files_of_many_messages_are_one_query(
    caller: Caller, conversation: Conversation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    messages = [send(caller, conversation, *attached(caller, conversation))[0].message_id for _ in range(3)]
    bare = said(conversation)
    with django_assert_num_queries(1):
        found = attachments.of_messages([*filter(None, messages), bare.pk], with_text=True)
        assert [row.text for rows in found.values() for row in rows] == ["tide tables"] * 3
    assert found[bare.pk] == []


def test_what_a_colleague_attached_is_not_there_for_anybody_else(
    caller: Caller, colleague: Caller, conversation: Conversation, agent: Agent
) -> None:
    (row,) = attached(caller, conversation)
    theirs = conversation_of(agent, colleague)
    with pytest.raises(NotFound):
        send(colleague, theirs, row)
    with pytest.raises(NotFound):
        attachments.remove(colleague, attachment_id=row.pk)
    with pytest.raises(NotFound):
        attachments.find_attachment(colleague, attachment_id=row.pk)
    with pytest.raises(NotFound):
        attached(colleague, conversation)
    with pytest.raises(NotFound):
        attachments.unsent(colleague, conversation_id=conversation.pk)
    row.refresh_from_db()
    assert not row.is_sent


def test_one_who_left_the_organization_reaches_none_of_it(caller: Caller, conversation: Conversation) -> None:
    (row,) = attached(caller, conversation)
    Membership.objects.filter(user_id=caller.user_id).delete()
    for act in (
        lambda: attachments.find_attachment(caller, attachment_id=row.pk),
        lambda: attached(caller, conversation),
        lambda: send(caller, conversation, row),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_file_for_one_conversation_is_not_sent_in_another(
    caller: Caller, agent: Agent, conversation: Conversation
) -> None:
    (unsent,) = attached(caller, conversation)
    (sent,) = send(caller, conversation, *attached(caller, conversation))
    other = conversation_of(agent, caller)
    for row in (unsent, sent):
        with pytest.raises(NotFound):
            send(caller, other, row)
    with pytest.raises(NotFound):
        attachments.claim(caller, attachment_ids=[uuid4()], message=said(conversation))


def test_an_edited_message_keeps_its_files_and_they_count_once(
    caller: Caller, conversation: Conversation, folder: Path, agent: Agent
) -> None:
    (first,) = send(caller, conversation, *attached(caller, conversation))
    (again,) = send(caller, conversation, first)
    assert again.pk != first.pk
    assert (again.text, again.storage_name) == (first.text, first.storage_name)
    assert quota.used_bytes(agent.organization_id) == 11
    assert contents(folder) == [b"tide tables"]


def test_content_goes_with_the_last_that_names_it(
    caller: Caller,
    conversation: Conversation,
    folder: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    (first,) = send(caller, conversation, *attached(caller, conversation))
    send(caller, conversation, first)
    with django_capture_on_commit_callbacks(execute=True):
        first.delete()
    assert contents(folder) == [b"tide tables"]
    with django_capture_on_commit_callbacks(execute=True):
        conversation.delete()
    assert contents(folder) == []
    assert not Attachment.objects.exists()


def test_a_file_that_was_sent_is_not_taken_away(
    caller: Caller,
    conversation: Conversation,
    folder: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    kept, removed = attached(caller, conversation, file(), file(b"b", "b.txt"))
    send(caller, conversation, kept)
    with django_capture_on_commit_callbacks(execute=True):
        attachments.remove(caller, attachment_id=removed.pk)
    with pytest.raises(Conflict):
        attachments.remove(caller, attachment_id=kept.pk)
    assert contents(folder) == [b"tide tables"]


def test_after_an_hour_what_was_not_sent_is_refused_and_swept(
    caller: Caller,
    conversation: Conversation,
    folder: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    (sent,) = send(caller, conversation, *attached(caller, conversation))
    (fresh,) = attached(caller, conversation, file(b"fresh", "fresh.txt"))
    (late,) = attached(caller, conversation, file(b"late", "late.txt"))
    Attachment.objects.filter(pk=late.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NotFound, match="Attach it again"):
        send(caller, conversation, late)
    assert attachments.unsent(caller, conversation_id=conversation.pk) == [fresh]
    with django_capture_on_commit_callbacks(execute=True):
        delete_unsent_attachments()
    assert set(Attachment.objects.all()) == {sent, fresh}
    assert contents(folder) == [b"fresh", b"tide tables"]


@pytest.mark.django_db(transaction=True)
def test_the_sweep_leaves_what_is_being_sent_at_that_moment(caller: Caller, conversation: Conversation) -> None:
    (row,) = attached(caller, conversation)
    with transaction.atomic():
        attachments.claim(caller, attachment_ids=[row.pk], message=said(conversation))
        # For everybody else its hour is over before this commits.
        swept = threading.Thread(target=_sweep_in_an_hour)
        swept.start()
        swept.join(SECONDS)
        assert not swept.is_alive()
    assert Attachment.objects.get().is_sent


def _sweep_in_an_hour() -> None:
    later = timezone.now() + timedelta(hours=2)
    try:
        with mock.patch("agents_hub.services.attachments.timezone.now", return_value=later):
            attachments.sweep_unsent()
    finally:
        connection.close()


def test_a_message_carries_ten_files_at_most(caller: Caller, conversation: Conversation) -> None:
    files = [file(b"x", f"{number}.txt") for number in range(11)]
    with pytest.raises(Invalid, match="at most 10"):
        attached(caller, conversation, *files)
    rows = attached(caller, conversation, *files[:6]) + attached(caller, conversation, *files[6:])
    with pytest.raises(Invalid, match="at most 10"):
        send(caller, conversation, *rows)
    assert len(send(caller, conversation, *rows[:10])) == 10


def test_a_person_cannot_pile_up_unsent_files(
    caller: Caller, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MOST_UNSENT", 2)
    rows = attached(caller, conversation, file(), file(b"b", "b.txt"))
    with pytest.raises(Conflict, match="unsent files"):
        attached(caller, conversation)
    send(caller, conversation, rows[0])
    attached(caller, conversation)


def test_attached_files_count_against_what_the_organization_may_have(
    caller: Caller, conversation: Conversation, settings: Settings, folder: Path
) -> None:
    settings.FILES_QUOTA_BYTES = 20
    attached(caller, conversation)
    with pytest.raises(PlanLimit):
        attached(caller, conversation)
    assert contents(folder) == [b"tide tables"]


def test_a_key_that_may_only_read_attaches_nothing(caller: Caller, conversation: Conversation) -> None:
    reader = caller_for(conversation.owner, Scope.READ)
    with pytest.raises(ScopeMissing):
        attached(reader, conversation)
    (row,) = attached(caller, conversation)
    with pytest.raises(ScopeMissing):
        attachments.remove(reader, attachment_id=row.pk)


@pytest.mark.parametrize(
    ("name", "content", "mime_type"),
    [
        ("page.html", b"<!doctype html><script>alert(1)</script>", "text/html"),
        ("picture.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "image/svg+xml"),
        ("dot.png", samples.PNG_PIXEL + b"<script>alert(1)</script>", "image/png"),
        ("both.pdf", samples.pdf("x") + b"\n<script>alert(1)</script>", "application/pdf"),
    ],
)
def test_content_is_handed_over_to_be_saved_and_never_shown_as_a_page(
    caller: Caller, conversation: Conversation, client: Client, name: str, content: bytes, mime_type: str
) -> None:
    (row,) = attached(caller, conversation, ContentFile(content, name=name))
    answer = client.get(links.path(caller, row))
    assert answer.getvalue() == content
    assert answer["Content-Type"] == mime_type
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox;")


def test_a_link_is_good_for_the_owner_alone(
    caller: Caller, colleague: Caller, conversation: Conversation, client: Client
) -> None:
    (row,) = attached(caller, conversation)
    assert client.get(links.path(caller, row)).getvalue() == b"tide tables"
    assert client.get(links.path(colleague, row)).status_code == 404


def test_a_row_is_sent_or_expires(caller: Caller, conversation: Conversation) -> None:
    (row,) = attached(caller, conversation)
    with pytest.raises(IntegrityError), transaction.atomic():
        Attachment.objects.filter(pk=row.pk).update(expires_at=None)
    assert row.kind == AttachmentKind.TEXT
