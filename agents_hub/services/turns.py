"""What a person can do with turns: ask, edit what was asked, have it answered again, go on, stop, answer inquiries.

A turn is carried out by whoever claims its row (`agents_hub.chat.runner`); here it is only asked for.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.scopes import Scope
from agents_hub.chat import channels
from agents_hub.chat.forgetting import TOLD
from agents_hub.models import Conversation, Inquiry, Message, Speaker, TaskRun, ToolUse, Turn, TurnStatus
from agents_hub.services.attachments import claim
from agents_hub.services.conversations import agent_to_talk_to, locked, message_of, title_from
from mcp_gateway.remote import filled_in
from security import audit
from security.storable import storable

LONGEST_TEXT = 100_000
# Answers of one person under way and waiting, in all conversations.
MOST_AT_ONCE = 200
# What a person can say to a permission, and to what a server asks.
PERMISSIONS = frozenset({"once", "always", "deny"})
REPLIES = frozenset({"accept", "decline", "cancel"})
# The statuses from which the same turn can be resumed.
RESUMABLE = (TurnStatus.ERROR, TurnStatus.TIMEOUT)


def begin(
    caller: Caller, *, conversation_id: UUID, text: str, after: UUID | None = None, attachments: Sequence[UUID] = ()
) -> Turn:
    """Say something, and have it answered. `after` is the message it follows, by default the last one shown.

    Files that were attached go with it; then the text may be empty. Raises `Conflict` while another turn is under way
    in the conversation, `NotFound` where the caller may no longer talk to the agent.
    """
    caller.require(Scope.WRITE)
    text = _checked(text, attachments)
    with transaction.atomic():
        conversation = locked(caller, conversation_id)
        before = conversation.tip_id if after is None else message_of(conversation, after).pk
        return _said(caller, conversation, text, before, attachments)


def edit(
    caller: Caller, *, conversation_id: UUID, message_id: UUID, text: str, attachments: Sequence[UUID] = ()
) -> Turn:
    """Say something else in a message's place: a branch beside it, with an answer of its own.

    Files of the message that are named stay with the edited one.
    """
    caller.require(Scope.WRITE)
    text = _checked(text, attachments)
    with transaction.atomic():
        conversation = locked(caller, conversation_id)
        message = message_of(conversation, message_id)
        if message.speaker != Speaker.PERSON:
            raise Invalid("You can edit only your own messages. For another answer, use Answer again.")
        return _said(caller, conversation, text, message.before_id, attachments)


def answer_again(caller: Caller, *, conversation_id: UUID, message_id: UUID) -> Turn:
    """Another answer beside that one, from the beginning; tools may be called again."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        conversation = locked(caller, conversation_id)
        message = message_of(conversation, message_id)
        if message.speaker != Speaker.AGENT or message.before_id is None:
            raise Invalid("Only an agent's answer can be given again.")
        return _asked(caller, conversation, message.before_id)


def try_again(caller: Caller, *, turn_id: UUID) -> Turn:
    """Go on with a turn that failed, from where it stood: nothing that was done is done again."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        turn = _locked(caller, turn_id)
        agent_to_talk_to(caller, turn.conversation.agent_id)
        if turn.status not in RESUMABLE:
            raise Conflict(
                f"This answer is {turn.get_status_display().lower()}; it cannot be resumed.", code="turn_status"
            )
        _refuse_a_second(turn.conversation)
        turn.status, turn.ended_at, turn.error, turn.error_code = TurnStatus.IN_PROGRESS, None, "", ""
        turn.stop_wanted, turn.lease_until, turn.handed_out_at, turn.events_forgotten = False, None, None, False
        turn.resumed_at = timezone.now()
        turn.api_key_id, turn.scope = caller.api_key_id, caller.scope
        turn.save()
        # What could not be used then may be of use now: it is told anew.
        turn.events.filter(kind__in=TOLD).delete()
        # And so is what the schedule's run came to.
        TaskRun.objects.filter(turn=turn).update(is_settled=False, problem="")
        channels.notify(channels.WAITING)
    return turn


def stop(caller: Caller, *, turn_id: UUID) -> Turn:
    """Have a turn stopped; one that nobody carries out yet ends at once. One that is over stays as it is."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        turn = _locked(caller, turn_id)
        if turn.is_over:
            return turn
        if turn.lease_until is None:
            turn.status, turn.ended_at = TurnStatus.STOPPED, timezone.now()
        turn.stop_wanted = True
        turn.save(update_fields=["status", "ended_at", "stop_wanted"])
        channels.notify(channels.WISHES, turn.pk)
        channels.notify(channels.EVENTS, turn.pk)
    return turn


def answer_inquiry(
    caller: Caller, *, inquiry_id: UUID, action: str, content: Mapping[str, Any] | None = None
) -> Inquiry:
    """Answer what a turn asks: once, always or deny for a permission; accept (with content), decline or cancel else.

    Raises `Conflict` where it was answered already, or the turn is over.
    """
    caller.require(Scope.WRITE)
    with transaction.atomic():
        inquiry = find_inquiry(caller, inquiry_id)
        turn = _locked(caller, inquiry.turn_id)
        inquiry.refresh_from_db()
        allowed = PERMISSIONS if inquiry.kind == Inquiry.Kind.PERMISSION else REPLIES
        if action not in allowed:
            raise Invalid(f"Answer with one of {', '.join(sorted(allowed))}.", data={"field": "action"})
        if turn.is_over or inquiry.answered_at is not None:
            raise Conflict("This question is closed: it was answered, or the agent has finished.", code="answered")
        is_filled = action == "accept" and inquiry.kind == Inquiry.Kind.FORM
        if is_filled:
            _refuse_what_does_not_fit(inquiry, content or {})
        inquiry.answer = {"action": action, "content": dict(content or {})} if is_filled else {"action": action}
        inquiry.answered_at = timezone.now()
        inquiry.save(update_fields=["answer", "answered_at"])
        audit.record(
            "chat.inquiry",
            caller=caller,
            target=f"conversation:{turn.conversation_id}",
            detail={"kind": inquiry.kind, "asked_by": inquiry.asked_by, "answer": action},
        )
        channels.notify(channels.WISHES, turn.pk)
    return inquiry


def _refuse_what_does_not_fit(inquiry: Inquiry, content: Mapping[str, Any]) -> None:
    """Else the server would take it for an answer, and end the call with an error that nobody can mend."""
    found = [f"{name}: {said}" for name, said in filled_in.faults(inquiry.form_schema, content)]
    if found:
        raise Invalid(" ".join(found), data={"field": "content"})


def find_turn(caller: Caller, turn_id: UUID) -> Turn:
    """A turn of the caller's own conversations, with its answer and agent."""
    return _found(caller, turn_id, Turn.objects.all())


def find_inquiry(caller: Caller, inquiry_id: UUID) -> Inquiry:
    own = Conversation.objects.for_caller(caller).values("pk")
    inquiry = Inquiry.objects.filter(turn__conversation__in=own, pk=inquiry_id).select_related("tool_use").first()
    if inquiry is None:
        raise NotFound("There is no such question for you to answer.")
    return inquiry


def find_tool_use(caller: Caller, use_id: UUID) -> ToolUse:
    """A call in one of the caller's own conversations, with what it gave."""
    caller.require(Scope.READ)
    own = Conversation.objects.for_caller(caller).values("pk")
    use = ToolUse.objects.filter(turn__conversation__in=own, pk=use_id).first()
    if use is None:
        raise NotFound("You have no such call of a tool. Its conversation may have been deleted.")
    return use


def turn_under_way(conversation: Conversation) -> Turn | None:
    return conversation.turns.filter(status=TurnStatus.IN_PROGRESS).first()


def _said(
    caller: Caller, conversation: Conversation, text: str, before: UUID | None, attachment_ids: Sequence[UUID]
) -> Turn:
    _refuse_a_second(conversation)
    message = Message.objects.create(
        conversation=conversation, before_id=before, speaker=Speaker.PERSON, text=text, created_at=timezone.now()
    )
    files = claim(caller, attachment_ids=attachment_ids, message=message)
    if not conversation.title:
        conversation.title = title_from(text or files[0].name)
    return _asked(caller, conversation, message.pk)


def _asked(caller: Caller, conversation: Conversation, question_id: UUID) -> Turn:
    """A turn that answers that message, waiting for whoever carries it out."""
    agent_to_talk_to(caller, conversation.agent_id)
    _refuse_a_second(conversation)
    _refuse_too_many(caller)
    answer = Message.objects.create(conversation=conversation, before_id=question_id, speaker=Speaker.AGENT)
    turn = Turn.objects.create(
        conversation=conversation, answer=answer, api_key_id=caller.api_key_id, scope=caller.scope
    )
    conversation.tip, conversation.draft, conversation.updated_at = answer, "", timezone.now()
    conversation.save(update_fields=["tip", "title", "draft", "updated_at"])
    audit.record(
        "chat.ask",
        caller=caller,
        target=f"conversation:{conversation.pk}",
        detail={"agent": str(conversation.agent_id), "turn": str(turn.pk)},
    )
    channels.notify(channels.WAITING)
    return turn


def _refuse_a_second(conversation: Conversation) -> None:
    if turn_under_way(conversation) is not None:
        raise Conflict("The agent is still answering. Stop it, or wait for its answer.", code="busy")


def _refuse_too_many(caller: Caller) -> None:
    waiting = Turn.objects.filter(status=TurnStatus.IN_PROGRESS, conversation__owner=caller.user_id)
    if waiting.count() >= MOST_AT_ONCE:
        raise Conflict(
            f"You have {MOST_AT_ONCE} questions waiting for answers. Stop some, or wait until they are answered.",
            code="too_many_turns",
        )


def _locked(caller: Caller, turn_id: UUID) -> Turn:
    return _found(caller, turn_id, Turn.objects.select_for_update(no_key=True, of=("self",)))


def _found(caller: Caller, turn_id: UUID, rows: QuerySet[Turn]) -> Turn:
    caller.require(Scope.READ)
    own = Conversation.objects.for_caller(caller).values("pk")
    turn = rows.filter(conversation__in=own, pk=turn_id).select_related("conversation__agent", "answer").first()
    if turn is None:
        raise NotFound("You have no such answer. Its conversation may have been deleted.")
    return turn


def _checked(text: str, attachments: Sequence[UUID]) -> str:
    text = storable(text).strip()
    if not text and not attachments:
        raise Invalid("Write what you want to ask.", data={"field": "text"})
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"This is longer than {LONGEST_TEXT:,} characters. Attach it as a file.", data={"field": "text"})
    return text
