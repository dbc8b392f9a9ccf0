"""The REST routes of what goes into a conversation as files and comes out of it as one."""

from collections.abc import Sequence

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.files import content, links
from agents_hub.models import Attachment
from agents_hub.services import attachments, exports
from agents_hub.services.exports import Form
from agents_hub.shapes.chats import (
    AttachmentShape,
    AttachmentsShape,
    AttachToConversation,
    Export,
    OneAttachment,
    OneConversation,
)
from agents_hub.shapes.files import OfAgent, UploadFiles
from mcp_gateway.registry import registry
from mcp_gateway.rest.answers import Download, Elsewhere
from mcp_gateway.rest.routes import REST_ONLY, SentFile, chat_api
from mcp_gateway.shapes import Nothing

CONVERSATION, ATTACHMENT = "conversations/{conversationId}", "attachments/{attachmentId}"


@registry.tool("attachmentsList", server=REST_ONLY, scope=Scope.READ, title="List unsent files", read_only=True)
def list_unsent(caller: Caller, arguments: OneConversation) -> AttachmentsShape:
    """List the files that wait to be sent with the next message of a conversation."""
    return _shown(caller, attachments.unsent(caller, conversation_id=arguments.conversation_id))


@registry.tool("attachmentsAddForAgent", server=REST_ONLY, scope=Scope.WRITE, title="Attach to a first message")
def attach_to_agent(caller: Caller, arguments: UploadFiles) -> AttachmentsShape:
    """Attach files for the first message to an agent; name their ids when you say it. They wait for an hour."""
    files = [file.content() for file in arguments.files]
    return _shown(caller, attachments.attach(caller, files=files, agent_id=arguments.agent_id))


@registry.tool("attachmentsAdd", server=REST_ONLY, scope=Scope.WRITE, title="Attach to the next message")
def attach_to_conversation(caller: Caller, arguments: AttachToConversation) -> AttachmentsShape:
    """Attach files for the next message of a conversation; name their ids when you say it. They wait for an hour."""
    files = [file.content() for file in arguments.files]
    return _shown(caller, attachments.attach(caller, files=files, conversation_id=arguments.conversation_id))


def upload_for_agent(caller: Caller, arguments: OfAgent, files: Sequence[SentFile]) -> AttachmentsShape:
    return _shown(caller, attachments.attach(caller, files=files, agent_id=arguments.agent_id))


def upload(caller: Caller, arguments: OneConversation, files: Sequence[SentFile]) -> AttachmentsShape:
    return _shown(caller, attachments.attach(caller, files=files, conversation_id=arguments.conversation_id))


@registry.tool("attachmentDelete", server=REST_ONLY, scope=Scope.WRITE, title="Remove a file", destructive=True)
def remove(caller: Caller, arguments: OneAttachment) -> Nothing:
    """Take away a file that was attached and not sent. One that was sent goes with its conversation."""
    attachments.remove(caller, attachment_id=arguments.attachment_id)
    return Nothing()


@registry.tool("attachmentDownload", server=REST_ONLY, scope=Scope.READ, title="Download a file", read_only=True)
def download(caller: Caller, arguments: OneAttachment) -> Elsewhere:
    """Go to the content of a file of yours."""
    found = attachments.find_attachment(caller, attachment_id=arguments.attachment_id)
    return Elsewhere(location=links.sign(caller, found))


@registry.tool("conversationExport", server=REST_ONLY, scope=Scope.READ, title="Export a conversation", read_only=True)
def export(caller: Caller, arguments: Export) -> Download:
    """Take a conversation along as a file of Markdown or JSON: the branch that is shown, with what tools did."""
    form = Form(arguments.form)
    conversation, pieces = exports.export_conversation(caller, conversation_id=arguments.conversation_id, form=form)
    name = f"conversation-{conversation.created_at:%Y-%m-%d}.{form.suffix}"
    return Download.of(pieces, name=name, mime_type=form.mime_type)


def _shown(caller: Caller, rows: Sequence[Attachment]) -> AttachmentsShape:
    return AttachmentsShape(attachments=[AttachmentShape.of(caller, row) for row in rows])


chat_api.add(
    "POST",
    "agents/{agentId}/attachments",
    "attachmentsAddForAgent",
    server=REST_ONLY,
    upload=upload_for_agent,
    most_bytes=content.LONGEST_REQUEST_BYTES,
)
chat_api.add(
    "POST",
    f"{CONVERSATION}/attachments",
    "attachmentsAdd",
    server=REST_ONLY,
    upload=upload,
    most_bytes=content.LONGEST_REQUEST_BYTES,
)
chat_api.add("GET", f"{CONVERSATION}/attachments", "attachmentsList", server=REST_ONLY)
chat_api.add("GET", f"{CONVERSATION}/export", "conversationExport", server=REST_ONLY)
chat_api.add("GET", f"{ATTACHMENT}/download", "attachmentDownload", server=REST_ONLY)
chat_api.add("DELETE", ATTACHMENT, "attachmentDelete", server=REST_ONLY)
