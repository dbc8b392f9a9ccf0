"""Chats on the wire: agents to talk to, conversations, messages, and the turns that answer them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from django.urls import reverse
from pydantic import Field, model_validator

from accounts.caller import Caller
from agents_hub.files import links
from agents_hub.models import Agent, Attachment, Conversation, Inquiry, ToolUse, Turn
from agents_hub.services.conversations import LONGEST_TITLE, Placed
from agents_hub.services.turns import LONGEST_TEXT
from agents_hub.shapes.files import SentFiles
from agents_hub.shapes.wire import AgentId, AttachmentId, ConversationId, Id, InquiryId, MessageId, TurnId
from mcp_gateway.rest.answers import Accepted
from mcp_gateway.shapes import Arguments, Moment, OrganizationId, PageArguments, PageOf, Result, Secret


class ListAgentsToTalkTo(PageArguments):
    organization_id: OrganizationId | None = Field(None, description="Only this organization's; else all of yours.")
    search: Annotated[str, Field(max_length=255, description="Part of the name, in any case.")] = ""


class ChatAgentShape(Result):
    id: Id
    name: str
    description: str
    organization_id: Id
    stage: Literal["development", "released"]
    conversation_starters: list[str]

    @classmethod
    def of(cls, agent: Agent) -> "ChatAgentShape":
        return cls(
            id=agent.pk,
            name=agent.name,
            description=agent.description,
            organization_id=agent.organization.uid,
            stage=agent.stage,
            conversation_starters=agent.conversation_starters,
        )


class ChatAgentPage(PageOf[ChatAgentShape]):
    pass


class ListConversations(PageArguments):
    organization_id: OrganizationId | None = None
    agent_id: AgentId | None = None
    search: Annotated[Secret, Field(max_length=200, description="Part of a title, or words that were said.")] = ""


class ConversationShape(Result):
    id: Id
    agent_id: Id
    agent_name: str
    title: str
    is_pinned: bool
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, conversation: Conversation) -> "ConversationShape":
        """From a row with its agent at hand."""
        return cls(
            id=conversation.pk,
            agent_id=conversation.agent_id,
            agent_name=conversation.agent.name,
            title=conversation.title,
            is_pinned=conversation.pinned_at is not None,
            created_at=conversation.created_at,
            updated_at=conversation.updated_at,
        )


class ConversationPage(PageOf[ConversationShape]):
    pass


class ToolUseShape(Result):
    id: Id
    round: int
    name: str
    title: str
    origin: str = Field(description="The name of the server, or of what offers the tool.")
    status: Literal["waiting", "running", "done", "failed", "denied", "stopped", "unknown"]
    arguments: dict[str, Any]
    result: dict[str, Any] | None = Field(description="content (blocks as MCP has them), structured, notes.")
    started_at: Moment
    ended_at: Moment | None

    @classmethod
    def of(cls, use: ToolUse) -> "ToolUseShape":
        return cls(
            id=use.pk,
            round=use.round,
            name=use.name,
            title=use.title,
            origin=use.origin_name,
            status=use.status,
            arguments=use.arguments,
            result=use.result,
            started_at=use.started_at,
            ended_at=use.ended_at,
        )


class InquiryShape(Result):
    """What the turn waits for: allow a call (once, always, deny), fill a form in, or visit a page (accept, decline)."""

    id: Id
    tool_use_id: Id
    kind: Literal["permission", "form", "page"]
    asked_by: str
    message: str
    schema_: dict[str, Any] | None = Field(alias="schema", description="Of a form: a JSON Schema of flat fields.")
    url: str | None

    @classmethod
    def of(cls, inquiry: Inquiry) -> "InquiryShape":
        return cls(
            id=inquiry.pk,
            tool_use_id=inquiry.tool_use_id,
            kind=inquiry.kind,
            asked_by=inquiry.asked_by,
            message=inquiry.message,
            schema_=inquiry.schema,
            url=inquiry.url or None,
        )


class UsageShape(Result):
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: Decimal | None = Field(description="Empty where nobody knows the model's price.")


class FaultShape(Result):
    code: str
    message: str


class TurnShape(Result):
    id: Id
    conversation_id: Id
    message_id: Id = Field(description="Of the agent's message, which this turn answers with.")
    status: Literal["in_progress", "completed", "stopped", "error", "timeout"]
    text: str = Field(description="What the agent has written so far.")
    error: FaultShape | None
    model: str
    tool_uses: list[ToolUseShape]
    inquiries: list[InquiryShape] = Field(description="Those that wait for an answer.")
    usage: UsageShape
    created_at: Moment
    ended_at: Moment | None

    @classmethod
    def of(cls, turn: Turn, *, text: str | None = None) -> "TurnShape":
        """From a turn with its answer, tool uses and inquiries at hand."""
        return cls(
            id=turn.pk,
            conversation_id=turn.conversation_id,
            message_id=turn.answer_id,
            status=turn.status,
            text=turn.answer.text if text is None else text,
            error=FaultShape(code=turn.error_code, message=turn.error) if turn.error else None,
            model=turn.model,
            tool_uses=[ToolUseShape.of(use) for use in turn.tool_uses.all()],
            inquiries=[InquiryShape.of(one) for one in turn.inquiries.all() if _is_open(turn, one)],
            usage=UsageShape(
                input_tokens=turn.input_tokens,
                cached_tokens=turn.cached_tokens,
                output_tokens=turn.output_tokens,
                cost_usd=turn.cost_usd,
            ),
            created_at=turn.created_at,
            ended_at=turn.ended_at,
        )


class OneConversation(Arguments):
    conversation_id: ConversationId


class AttachmentShape(Result):
    id: Id
    name: str
    mime_type: str
    size: int = Field(description="Bytes.")
    kind: Literal["text", "pdf", "image"]
    note: str = Field(description="What is to be known of it, such as that only a part of its text could be read.")
    download_url: str = Field(description="For its owner alone, for a short time.")

    @classmethod
    def of(cls, caller: Caller, attachment: Attachment) -> "AttachmentShape":
        return cls(
            id=attachment.pk,
            name=attachment.name,
            mime_type=attachment.mime_type,
            size=attachment.size,
            kind=attachment.kind,
            note=attachment.note,
            download_url=links.sign(caller, attachment),
        )


class AttachmentsShape(Result):
    attachments: list[AttachmentShape]


class OneAttachment(Arguments):
    attachment_id: AttachmentId


class AttachToConversation(OneConversation):
    files: SentFiles


class Export(Arguments):
    conversation_id: ConversationId
    form: Literal["markdown", "json"] = "markdown"


class Exported(Result):
    file_name: str
    mime_type: str
    content: str


class MessageShape(Result):
    id: Id
    speaker: Literal["person", "agent"]
    text: str
    attachments: list[AttachmentShape]
    created_at: Moment
    branches: list[Id] = Field(description="All messages at this place, itself among them, the oldest first.")
    turn: TurnShape | None = Field(description="Of an agent's message: how it came about.")

    @classmethod
    def of(cls, caller: Caller, placed: Placed, turn: Turn | None, files: Sequence[Attachment]) -> "MessageShape":
        message = placed.message
        return cls(
            id=message.pk,
            speaker=message.speaker,
            text=message.text,
            attachments=[AttachmentShape.of(caller, file) for file in files],
            created_at=message.created_at,
            branches=list(placed.others),
            turn=TurnShape.of(turn) if turn else None,
        )


class WholeConversationShape(ConversationShape):
    messages: list[MessageShape] = Field(description="Those of the branch that is shown, the first one first.")


class BeginConversation(Arguments):
    agent_id: AgentId


class ChangeConversation(Arguments):
    conversation_id: ConversationId
    title: Annotated[Secret, Field(max_length=LONGEST_TITLE)] | None = None
    is_pinned: bool | None = None


class ShowBranch(Arguments):
    conversation_id: ConversationId
    message_id: MessageId


class Say(Arguments):
    """Name an agent for a new conversation, or a conversation to go on with.

    What people say is theirs: it is not repeated in the audit.
    """

    agent_id: AgentId | None = None
    conversation_id: ConversationId | None = None
    message: Annotated[Secret, Field(max_length=LONGEST_TEXT)] = ""
    attachments: Annotated[
        list[AttachmentId],
        Field(max_length=10, description="Files attached before; the message may then be empty."),
    ] = []
    after: MessageId | None = Field(None, description="The message that this follows; without it the last one shown.")
    edit_of: MessageId | None = Field(None, description="A message of yours in whose place this stands, as a branch.")

    @model_validator(mode="after")
    def _one_place(self) -> "Say":
        if (self.agent_id is None) == (self.conversation_id is None):
            raise ValueError("give either agentId, for a new conversation, or conversationId")
        if self.conversation_id is None and (self.after or self.edit_of):
            raise ValueError("after and editOf are of a conversation; give its conversationId")
        if self.after and self.edit_of:
            raise ValueError("give after or editOf, not both")
        return self


class Asked(Result, Accepted):
    conversation_id: Id
    turn_id: Id
    message_id: Id = Field(description="Of the agent's message that is being written.")

    @classmethod
    def of(cls, turn: Turn) -> "Asked":
        return cls(conversation_id=turn.conversation_id, turn_id=turn.pk, message_id=turn.answer_id)

    def location(self) -> str:
        return reverse("rest-chat:turns-turnId", args=[self.turn_id])


class OneTurn(Arguments):
    turn_id: TurnId


class AnswerAgain(Arguments):
    conversation_id: ConversationId
    message_id: MessageId


class ListEvents(Arguments):
    turn_id: TurnId
    after: Annotated[int, Field(ge=0, le=2_000_000_000, description="The number of the last event known.")] = 0


class EventShape(Result):
    number: int
    kind: str
    body: dict[str, Any]


class EventsShape(Result):
    turn_id: Id
    events: list[EventShape] = Field(description="At most 500; ask again after the last one's number.")
    status: Literal["in_progress", "completed", "stopped", "error", "timeout"]
    is_over: bool = Field(description="Whether no event comes after these.")


class AnswerInquiry(Arguments):
    inquiry_id: InquiryId
    action: Literal["once", "always", "deny", "accept", "decline", "cancel"]
    content: Annotated[
        dict[str, str | int | float | bool | list[str] | None] | None,
        Field(description="What a form was filled in with, for accept.", max_length=100),
    ] = None


class Answered(Result):
    id: UUID
    action: str


def _is_open(turn: Turn, inquiry: Inquiry) -> bool:
    return not turn.is_over and inquiry.answered_at is None
