"""Files in a conversation's forms: sent with the message, kept where it could not be sent, taken away again."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.caller import Caller
from accounts.page_caller import caller
from agents_hub.files import links
from agents_hub.models import Attachment
from agents_hub.models.attachments import AttachmentKind
from agents_hub.services import attachments as service
from agents_hub.services.conversations import find_conversation
from security.identifiers import uuid_or_none


def sent_with(request: HttpRequest, conversation_id: UUID) -> list[UUID]:
    """What goes with the message: files that the form names, and those that came with it, which are kept now."""
    files: list[UploadedFile[Any]] = request.FILES.getlist("files")
    named = [made for text in request.POST.getlist("attachment") if (made := uuid_or_none(text)) is not None]
    if not files:
        return named
    return [*named, *(one.pk for one in service.attach(caller(request), files=files, conversation_id=conversation_id))]


@require_POST
@login_required
def remove(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Take away a file that waits to be sent."""
    conversation = find_conversation(caller(request), conversation_id)
    if (attachment_id := uuid_or_none(request.POST.get("attachment", ""))) is not None:
        service.remove(caller(request), attachment_id=attachment_id)
    return redirect("chat:conversation", conversation.pk)


def as_links(who: Caller, rows: Sequence[Attachment]) -> list[dict[str, Any]]:
    """The files as a page shows them, each with its link for this person."""
    return [{"file": row, "url": links.path(who, row), "is_image": row.kind == AttachmentKind.IMAGE} for row in rows]
