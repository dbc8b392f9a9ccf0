"""The rows of agents, one module a subject."""

from agents_hub.models.abilities import AgentSubject, SwitchedOff
from agents_hub.models.agents import Agent, AgentPerson, Audience, Stage
from agents_hub.models.attachments import Attachment, AttachmentKind
from agents_hub.models.conversations import Conversation, Grant, Message, Speaker
from agents_hub.models.files import SharedFile, StagedFile
from agents_hub.models.pools import PoolMembership, ProfilePool
from agents_hub.models.profiles import Profile, ProfileCookie, ProfileCredential
from agents_hub.models.servers import AgentServer
from agents_hub.models.tasks import ScheduledTask, TaskRun
from agents_hub.models.turns import Inquiry, ToolUse, Turn, TurnCall, TurnEvent, TurnStatus, TurnStep

__all__ = [
    "Agent",
    "AgentPerson",
    "AgentServer",
    "AgentSubject",
    "Attachment",
    "AttachmentKind",
    "Audience",
    "Conversation",
    "Grant",
    "Inquiry",
    "Message",
    "PoolMembership",
    "Profile",
    "ProfileCookie",
    "ProfileCredential",
    "ProfilePool",
    "ScheduledTask",
    "SharedFile",
    "Speaker",
    "Stage",
    "StagedFile",
    "SwitchedOff",
    "TaskRun",
    "ToolUse",
    "Turn",
    "TurnCall",
    "TurnEvent",
    "TurnStatus",
    "TurnStep",
]
