"""What people do in a conversation: say, edit, have answered again, go on, stop, choose a branch, answer what is asked.

Each is a form that leads back to the conversation, or shows it with why it was not done. What was typed is never lost:
it stands on the page that says why it was not sent, wherever it can still be sent or only be copied.
"""

from collections.abc import Callable, Mapping
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import Conflict, Forbidden, Invalid, NotFound, PlanLimit, Throttled
from accounts.page_caller import caller, is_signed_in
from agents_hub.files import content
from agents_hub.models import Inquiry
from agents_hub.pages.chat.asking import asking
from agents_hub.pages.chat.connecting import leave_for
from agents_hub.pages.chat.conversation import empty, page
from agents_hub.pages.chat.files import sent_with
from agents_hub.services import conversations, turns
from security import body_size
from security.identifiers import uuid_or_none

# What is said on the page itself.
REFUSALS = (Conflict, Forbidden, Invalid, PlanLimit, Throttled)
# The same where something was typed: a file whose hour is over is not found, or an agent that was taken back.
WITH_WORDS = (*REFUSALS, NotFound)


@body_size.takes(content.LONGEST_REQUEST_BYTES, of=is_signed_in)
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def begin(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """An empty chat; the first message to the agent, or leaving to connect a server before there is one."""
    who, text = caller(request), request.POST.get("text", "")
    try:
        agent = conversations.agent_to_talk_to(who, agent_id)
    except NotFound as refusal:
        return _unsent(request, text, refusal)
    if request.method != "POST":
        return empty(request, agent)
    server_id = request.POST.get("connect", "")
    if not (server_id or text.strip() or request.FILES):
        return empty(request, agent, refused="Write what you want to ask.")
    made = conversations.begin_conversation(who, agent_id=agent_id)
    if server_id:
        return leave_for(request, made, server_id, draft=text)
    return _said(request, made.pk, text)


@body_size.takes(content.LONGEST_REQUEST_BYTES, of=is_signed_in)
@require_POST
@login_required
def say(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    text = request.POST.get("text", "")
    try:
        conversations.find_conversation(caller(request), conversation_id)
    except NotFound as refusal:
        return _unsent(request, text, refusal)
    return _said(request, conversation_id, text)


@body_size.takes(content.LONGEST_REQUEST_BYTES, of=is_signed_in)
@require_POST
@login_required
def edit(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    message_id, text = _id(request, "message"), request.POST.get("text", "")
    try:
        conversations.message_of(conversations.find_conversation(caller(request), conversation_id), message_id)
    except NotFound as refusal:
        return _unsent(request, text, refusal)

    def act() -> object:
        return turns.edit(
            caller(request),
            conversation_id=conversation_id,
            message_id=message_id,
            text=text,
            attachments=sent_with(request, conversation_id),
        )

    return _done(request, conversation_id, act, edited={message_id: text})


@require_POST
@login_required
def again(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    message_id = _id(request, "message")

    def act() -> object:
        return turns.answer_again(caller(request), conversation_id=conversation_id, message_id=message_id)

    return _done(request, conversation_id, act)


@require_POST
@login_required
def branch(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    message_id = _id(request, "message")
    conversations.show_branch(caller(request), conversation_id=conversation_id, message_id=message_id)
    return redirect("chat:conversation", conversation_id)


@require_POST
@login_required
def retry(request: HttpRequest, turn_id: UUID) -> HttpResponse:
    conversation_id = turns.find_turn(caller(request), turn_id).conversation_id
    return _done(request, conversation_id, lambda: turns.try_again(caller(request), turn_id=turn_id))


@require_POST
@login_required
def stop(request: HttpRequest, turn_id: UUID) -> HttpResponse:
    stopped = turns.stop(caller(request), turn_id=turn_id)
    return redirect("chat:conversation", stopped.conversation_id)


@require_POST
@login_required
def reply(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The answer to what is asked: the button that was pressed says which inquiry's, and what."""
    who = caller(request)
    found = conversations.find_conversation(who, conversation_id)
    inquiry_id, _, action = request.POST.get("answer", "").partition(":")
    inquiry = turns.find_inquiry(who, _as_id(inquiry_id))
    filled_in = None
    if action == "accept" and inquiry.kind == Inquiry.Kind.FORM:
        filled = asking(inquiry, request.POST)
        if filled.form is None or not filled.form.is_valid():
            return page(request, found, bound={inquiry.pk: filled})
        filled_in = filled.form.arguments()

    def act() -> object:
        return turns.answer_inquiry(who, inquiry_id=inquiry.pk, action=action, content=filled_in)

    return _done(request, conversation_id, act)


def _said(request: HttpRequest, conversation_id: UUID, text: str) -> HttpResponse:
    def act() -> object:
        # Files are kept first: where the message cannot be sent, they wait for the next one.
        files = sent_with(request, conversation_id)
        return turns.begin(caller(request), conversation_id=conversation_id, text=text, attachments=files)

    return _done(request, conversation_id, act, text)


def _done(
    request: HttpRequest,
    conversation_id: UUID,
    act: Callable[[], object],
    typed: str | None = None,
    edited: Mapping[UUID, str] | None = None,
) -> HttpResponse:
    """`typed` is a message that is to be sent, `edited` what is to stand in the place of one."""
    refusals = WITH_WORDS if typed or edited else REFUSALS
    try:
        act()
    except refusals as error:
        who = caller(request)
        try:
            found = conversations.find_conversation(who, conversation_id)
        except NotFound as gone:
            return _unsent(request, typed or next(iter((edited or {}).values()), ""), gone)
        if typed:
            # So that it is there after a reload too, and the conversation in the list though nothing was said in it.
            found = conversations.keep_draft(who, conversation_id=conversation_id, draft=typed)
        return page(request, found, refused=error.message, typed=typed, edited=edited)
    return redirect("chat:conversation", conversation_id)


def _unsent(request: HttpRequest, text: str, refusal: NotFound) -> HttpResponse:
    """There is no conversation to show any more: why, with what was typed, to be copied."""
    if not text.strip():
        raise refusal
    return render(request, "agents_hub/chat/unsent.html", {"refused": refusal.message, "lost": text}, status=404)


def _id(request: HttpRequest, name: str) -> UUID:
    return _as_id(request.POST.get(name, ""))


def _as_id(text: str) -> UUID:
    found = uuid_or_none(text)
    if found is None:
        raise NotFound("There is no such thing in this conversation.")
    return found
