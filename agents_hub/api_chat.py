"""The REST routes of chats, and the tools they share, which no MCP endpoint lists."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.chat import watching
from agents_hub.chat.previews import Preview, previews_of
from agents_hub.models import Conversation, Inquiry, ToolUse, Turn
from agents_hub.services import conversations, turns
from agents_hub.services.attachments import of_messages
from agents_hub.shapes.chats import (
    MESSAGES,
    AnswerAgain,
    BeginConversation,
    ChangeConversation,
    ChatAgentPage,
    ChatAgentShape,
    ConversationPage,
    ConversationPartShape,
    ConversationShape,
    ListAgentsToTalkTo,
    ListConversations,
    MessageShape,
    OneConversation,
    ReadConversation,
    Say,
    ShowBranch,
)
from agents_hub.shapes.turns import (
    Answered,
    AnswerInquiry,
    Asked,
    EventShape,
    EventsShape,
    ListEvents,
    OneToolUse,
    OneTurn,
    ToolUseShape,
    TurnShape,
)
from mcp_gateway.registry import registry
from mcp_gateway.rest.routes import REST_ONLY, chat_api
from mcp_gateway.shapes import Nothing

CONVERSATION, MESSAGE = "conversations/{conversationId}", "conversations/{conversationId}/messages/{messageId}"
TURN = "turns/{turnId}"


@registry.tool("chatAgentsList", server=REST_ONLY, scope=Scope.READ, title="List agents to talk to", read_only=True)
def list_agents(caller: Caller, arguments: ListAgentsToTalkTo) -> ChatAgentPage:
    """List the agents that you may talk to: released ones, those you made, and as an admin all."""
    page = conversations.list_agents_to_talk_to(
        caller,
        organization_id=arguments.organization_id,
        search=arguments.search,
        page=arguments.page,
        page_size=arguments.page_size,
    )
    return ChatAgentPage(
        items=[ChatAgentShape.of(row) for row in page.rows], page=page.number, page_size=page.size, total=page.total
    )


@registry.tool("conversationsList", server=REST_ONLY, scope=Scope.READ, title="List conversations", read_only=True)
def list_conversations(caller: Caller, arguments: ListConversations) -> ConversationPage:
    """List your conversations: pinned ones first, then those in which something was said last."""
    page = conversations.list_conversations(
        caller,
        organization_id=arguments.organization_id,
        agent_id=arguments.agent_id,
        search=arguments.search,
        page=arguments.page,
        page_size=arguments.page_size,
    )
    return ConversationPage(
        items=[ConversationShape.of(row) for row in page.rows], page=page.number, page_size=page.size, total=page.total
    )


@registry.tool("conversationsCreate", server=REST_ONLY, scope=Scope.WRITE, title="Begin a conversation")
def begin_conversation(caller: Caller, arguments: BeginConversation) -> ConversationShape:
    """Begin an empty conversation with an agent. POST /api/chat with an agentId begins one and asks at once."""
    return ConversationShape.of(conversations.begin_conversation(caller, agent_id=arguments.agent_id))


@registry.tool("conversationGet", server=REST_ONLY, scope=Scope.READ, title="Get a conversation", read_only=True)
def get_conversation(caller: Caller, arguments: ReadConversation) -> ConversationPartShape:
    """Fetch a conversation with the last messages of the branch that is shown, and how each answer came about.

    Earlier ones come with the id of the first message as before. Long results of tools are cut; toolUseGet has each
    whole.
    """
    found = conversations.find_conversation(caller, arguments.conversation_id)
    return _part(caller, found, before=arguments.before, most=arguments.most)


@registry.tool("conversationUpdate", server=REST_ONLY, scope=Scope.WRITE, title="Rename or pin", idempotent=True)
def change_conversation(caller: Caller, arguments: ChangeConversation) -> ConversationShape:
    """Give a conversation another title, or keep it at the top of the list. What is left out stays."""
    changed = conversations.find_conversation(caller, arguments.conversation_id)
    if arguments.title is not None:
        changed = conversations.rename_conversation(caller, conversation_id=changed.pk, title=arguments.title)
    if arguments.is_pinned is not None:
        changed = conversations.pin_conversation(caller, conversation_id=changed.pk, pinned=arguments.is_pinned)
    return ConversationShape.of(changed)


@registry.tool(
    "conversationDelete", server=REST_ONLY, scope=Scope.WRITE, title="Delete a conversation", destructive=True
)
def delete_conversation(caller: Caller, arguments: OneConversation) -> Nothing:
    """Delete a conversation with all that was said in it. This cannot be undone."""
    conversations.delete_conversation(caller, conversation_id=arguments.conversation_id)
    return Nothing()


@registry.tool("conversationBranchShow", server=REST_ONLY, scope=Scope.WRITE, title="Show a branch", idempotent=True)
def show_branch(caller: Caller, arguments: ShowBranch) -> ConversationPartShape:
    """Show the branch in which that message stands, down to its newest end."""
    conversations.show_branch(caller, conversation_id=arguments.conversation_id, message_id=arguments.message_id)
    return _part(caller, conversations.find_conversation(caller, arguments.conversation_id))


@registry.tool("chat", server=REST_ONLY, scope=Scope.WRITE, title="Say something to an agent")
def say(caller: Caller, arguments: Say) -> Asked:
    """Say something to an agent, in a new conversation or in one of yours; the answer is under way when this returns.

    Look at the turn to see how far it is; or accept text/event-stream, and its events come as they happen: began, text,
    answered, tool, inquiry, inquired, problem, tools and compacting, numbered, and turn whenever its status changes.
    """
    conversation_id = arguments.conversation_id
    if conversation_id is None:
        assert arguments.agent_id is not None
        conversation_id = conversations.begin_conversation(caller, agent_id=arguments.agent_id).pk
    place: dict[str, Any] = {"conversation_id": conversation_id}
    said: dict[str, Any] = {"text": arguments.message, "attachments": arguments.attachments}
    if arguments.edit_of is not None:
        return Asked.of(turns.edit(caller, **place, message_id=arguments.edit_of, **said))
    return Asked.of(turns.begin(caller, **place, after=arguments.after, **said))


@registry.tool("messageAnswerAgain", server=REST_ONLY, scope=Scope.WRITE, title="Have it answered again")
def answer_again(caller: Caller, arguments: AnswerAgain) -> Asked:
    """Have another answer given beside an agent's message, from the beginning; tools may be called again."""
    return Asked.of(
        turns.answer_again(caller, conversation_id=arguments.conversation_id, message_id=arguments.message_id)
    )


@registry.tool("turnGet", server=REST_ONLY, scope=Scope.READ, title="Get a turn", read_only=True)
def get_turn(caller: Caller, arguments: OneTurn) -> TurnShape:
    """Fetch a turn: its status, the text so far, the tools it used, and what it asks of you."""
    turns.find_turn(caller, arguments.turn_id)
    (turn,) = found = _with_all(Turn.objects.filter(pk=arguments.turn_id))
    previews = _previews(found)
    text = turn.answer.text if turn.is_over else watching.text_so_far(turn.pk)
    return TurnShape.of(turn, previews, text=text)


@registry.tool("toolUseGet", server=REST_ONLY, scope=Scope.READ, title="Get a tool's whole result", read_only=True)
def get_tool_use(caller: Caller, arguments: OneToolUse) -> ToolUseShape:
    """Fetch one use of a tool with all that it gave, however long: texts whole, images and files in Base64."""
    return ToolUseShape.whole(turns.find_tool_use(caller, arguments.tool_use_id))


@registry.tool("turnEventsList", server=REST_ONLY, scope=Scope.READ, title="List a turn's events", read_only=True)
def list_events(caller: Caller, arguments: ListEvents) -> EventsShape:
    """List what happened in a turn after an event's number; or accept text/event-stream, and have it as it happens."""
    turn = turns.find_turn(caller, arguments.turn_id)
    events, last = watching.events_after(turn.pk, arguments.after)
    shown = [EventShape(number=event.number, kind=event.kind, body=event.body) for event in events]
    is_over = turn.is_over and (not events or events[-1].number == last)
    return EventsShape(turn_id=turn.pk, events=shown, status=turn.status, is_over=is_over)


@registry.tool("turnStop", server=REST_ONLY, scope=Scope.WRITE, title="Stop a turn", idempotent=True)
def stop_turn(caller: Caller, arguments: OneTurn) -> Asked:
    """Stop an answer that is under way; what was written of it stays. One that is over stays as it is."""
    return Asked.of(turns.stop(caller, turn_id=arguments.turn_id))


@registry.tool("turnTryAgain", server=REST_ONLY, scope=Scope.WRITE, title="Try again")
def try_again(caller: Caller, arguments: OneTurn) -> Asked:
    """Go on with a turn that failed, from where it stood: nothing that was done is done again."""
    return Asked.of(turns.try_again(caller, turn_id=arguments.turn_id))


@registry.tool("inquiryAnswer", server=REST_ONLY, scope=Scope.WRITE, title="Answer an inquiry")
def answer_inquiry(caller: Caller, arguments: AnswerInquiry) -> Answered:
    """Answer what a turn asks: once, always or deny for a permission; accept, decline or cancel for anything else.

    always holds for this tool in this conversation, until the tool changes.
    """
    inquiry = turns.answer_inquiry(
        caller, inquiry_id=arguments.inquiry_id, action=arguments.action, content=arguments.content
    )
    return Answered(id=inquiry.pk, action=arguments.action)


def _part(
    caller: Caller, conversation: Conversation, *, before: UUID | None = None, most: int = MESSAGES
) -> ConversationPartShape:
    placed, earlier = conversations.part_of_branch(conversation, before=before, most=most)
    answers = [one.message.pk for one in placed]
    files = of_messages(answers)
    found = _with_all(Turn.objects.filter(answer__in=answers))
    previews = _previews(found)
    by_answer = {turn.answer_id: TurnShape.of(turn, previews) for turn in found}
    return ConversationPartShape(
        **dict(ConversationShape.of(conversation)),
        messages=[MessageShape.of(caller, one, by_answer.get(one.message.pk), files[one.message.pk]) for one in placed],
        earlier=earlier,
    )


def _with_all(found: QuerySet[Turn]) -> list[Turn]:
    """Turns with what their shape shows, in a fixed number of queries; results are left in the database."""
    wanted = found.select_related("answer").prefetch_related(
        Prefetch("tool_uses", ToolUse.objects.defer("result").order_by("round", "place")),
        Prefetch("inquiries", Inquiry.objects.filter(answered_at=None).order_by("id")),
    )
    return list(wanted)


def _previews(found: Sequence[Turn]) -> dict[UUID, Preview]:
    return previews_of([use.pk for turn in found for use in turn.tool_uses.all()])


chat_api.add("GET", "agents", "chatAgentsList", server=REST_ONLY)
chat_api.add("GET", "conversations", "conversationsList", server=REST_ONLY)
chat_api.add("POST", "conversations", "conversationsCreate", server=REST_ONLY)
chat_api.add("GET", CONVERSATION, "conversationGet", server=REST_ONLY)
chat_api.add("PATCH", CONVERSATION, "conversationUpdate", server=REST_ONLY)
chat_api.add("DELETE", CONVERSATION, "conversationDelete", server=REST_ONLY)
chat_api.add("POST", f"{MESSAGE}/show", "conversationBranchShow", server=REST_ONLY)
chat_api.add("POST", f"{MESSAGE}/answer-again", "messageAnswerAgain", server=REST_ONLY, stream=watching.subject_of)
chat_api.add("POST", "chat", "chat", server=REST_ONLY, stream=watching.subject_of)
chat_api.add("GET", TURN, "turnGet", server=REST_ONLY)
chat_api.add("GET", "tool-uses/{toolUseId}", "toolUseGet", server=REST_ONLY)
chat_api.add("GET", f"{TURN}/events", "turnEventsList", server=REST_ONLY, stream=watching.subject_of)
chat_api.add("POST", f"{TURN}/stop", "turnStop", server=REST_ONLY)
chat_api.add("POST", f"{TURN}/try-again", "turnTryAgain", server=REST_ONLY, stream=watching.subject_of)
chat_api.add("POST", "inquiries/{inquiryId}/answer", "inquiryAnswer", server=REST_ONLY)
