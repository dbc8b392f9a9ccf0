"""Chats on the wire: agents to talk to, conversations, messages with their files, and what is said."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from accounts.caller import Caller
from agents_hub.files import links
from agents_hub.models import Agent, Attachment, Conversation
from agents_hub.services.conversations import LONGEST_TITLE, Placed
from agents_hub.services.turns import LONGEST_TEXT
from agents_hub.shapes.files import SentFiles
from agents_hub.shapes.turns import TurnShape
from agents_hub.shapes.wire import AgentId, AttachmentId, ConversationId, Id, MessageId, StageName
from mcp_gateway.shapes import Arguments, Moment, OrganizationId, PageArguments, PageOf, Result, Secret

# Read at once, where nobody says how many.
MESSAGES = 25


class ListAgentsToTalkTo(PageArguments):
    organization_id: OrganizationId | None = Field(None, description="Only this organization's; else all of yours.")
    search: Annotated[str, Field(max_length=255, description="Part of the name, in any case.")] = ""


class ChatAgentShape(Result):
    id: Id
    name: str
    description: str
    organization_id: Id
    stage: StageName
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


class OneConversation(Arguments):
    conversation_id: ConversationId


class ReadConversation(OneConversation):
    before: MessageId | None = Field(None, description="Messages before this one; without it the last ones.")
    most: Annotated[int, Field(ge=1, le=100, description="How many messages.")] = MESSAGES


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


class MessageShape(Result):
    id: Id
    speaker: Literal["person", "agent"]
    text: str
    attachments: list[AttachmentShape]
    created_at: Moment
    branches: list[Id] = Field(description="All messages at this place, itself among them, the oldest first.")
    turn: TurnShape | None = Field(description="Of an agent's message: how it came about.")

    @classmethod
    def of(cls, caller: Caller, placed: Placed, turn: TurnShape | None, files: Sequence[Attachment]) -> "MessageShape":
        message = placed.message
        return cls(
            id=message.pk,
            speaker=message.speaker,
            text=message.text,
            attachments=[AttachmentShape.of(caller, file) for file in files],
            created_at=message.created_at,
            branches=list(placed.others),
            turn=turn,
        )


class ConversationPartShape(ConversationShape):
    messages: list[MessageShape] = Field(description="The last ones of the branch that is shown, in their order.")
    earlier: int = Field(
        description="How many messages come before these: ask again with the first one's id as before, until it is 0."
    )


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


class AnswerAgain(Arguments):
    conversation_id: ConversationId
    message_id: MessageId
