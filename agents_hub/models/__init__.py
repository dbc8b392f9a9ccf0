"""The rows of agents, one module a subject."""

from agents_hub.models.agents import Agent
from agents_hub.models.files import SharedFile, StagedFile
from agents_hub.models.pools import PoolMembership, ProfilePool
from agents_hub.models.profiles import Profile, ProfileCookie, ProfileCredential
from agents_hub.models.servers import AgentServer

__all__ = [
    "Agent",
    "AgentServer",
    "PoolMembership",
    "Profile",
    "ProfileCookie",
    "ProfileCredential",
    "ProfilePool",
    "SharedFile",
    "StagedFile",
]
