"""What the shapes of agents have in common: the ids that name their rows, and what is one of several."""

from typing import Literal
from uuid import UUID

from mcp_gateway.shapes import uuid_id

SERVER = "platform"

Id = UUID
AgentId = uuid_id("The agent's id, as agentList gives it.")
ProfileId = uuid_id("The profile's id, as agentProfilesList gives it.")
PoolId = uuid_id("The pool's id.")
FileId = uuid_id("The file's id.")
PartId = uuid_id("The id of one of the profile's credentials or cookies.")
ConversationId = uuid_id("The conversation's id.")
MessageId = uuid_id("The message's id.")
TurnId = uuid_id("The turn's id, as the chat gave it.")
ToolUseId = uuid_id("The id of a use of a tool, as its turn shows it.")
InquiryId = uuid_id("The inquiry's id, as the turn shows it.")
TaskId = uuid_id("The scheduled task's id.")
PersonId = uuid_id("The id of a member of the organization, as the agent's people are listed.")
AttachmentId = uuid_id("The attachment's id.")

StageName = Literal["development", "released"]
TurnStatusName = Literal["in_progress", "completed", "stopped", "error", "timeout"]
