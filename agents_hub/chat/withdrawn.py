"""What is taken back while an answer goes on, for minutes or for as long as it waits for its person: the agent from the
person, a tool from the agent. What becomes of servers themselves is seen where they are called.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from accounts.caller import Caller
from agents_hub.chat.sources import ChatTool
from agents_hub.models import AgentServer, AgentSubject, SwitchedOff
from agents_hub.services.abilities import server_of
from agents_hub.services.conversations import agent_to_talk_to

TAKEN = "This tool was taken from the agent since this answer began, so it was not called. Do without it."


def check_agent(caller: Caller, agent_id: UUID) -> None:
    """Raises `NotFound` where the person may no longer talk to the agent: then the answer ends."""
    agent_to_talk_to(caller, agent_id)


def refusal(caller: Caller, agent_id: UUID, tool: ChatTool, subjects: Mapping[str, Sequence[str]]) -> str | None:
    """Why a tool is not to be called any more, in words for the model; none where it may be.

    `subjects` is what the agent had of each source when its tools were put together. Raises as `check_agent` does.
    """
    check_agent(caller, agent_id)
    return None if _is_given(agent_id, tool, subjects.get(tool.origin)) else TAKEN


def _is_given(agent_id: UUID, tool: ChatTool, subjects: Sequence[str] | None) -> bool:
    if SwitchedOff.objects.filter(agent_id=agent_id, origin=tool.origin, tool=tool.tool).exists():
        return False
    if (server_id := server_of(tool.origin)) is not None:
        return AgentServer.objects.filter(agent_id=agent_id, server_id=server_id).exists()
    if subjects is None:
        return True
    # The tool acts on any of them, so all have to be there still.
    there = AgentSubject.objects.filter(agent_id=agent_id, source=tool.origin, subject__in=subjects)
    return there.count() == len(set(subjects))
