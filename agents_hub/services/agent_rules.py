"""What an agent's fields may hold, and who may change what of it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from accounts.caller import Caller
from accounts.errors import Forbidden, Invalid
from accounts.models import Membership, Role
from agents_hub.models import Agent, Stage
from agents_hub.models.agents import DEFAULT_TOOL_ROUNDS, MOST_TOOL_ROUNDS
from llm.services.choosing import checked_model

LONGEST_INSTRUCTIONS = 50_000
MOST_STARTERS = 6
LONGEST_STARTER = 200


@dataclass(frozen=True, slots=True)
class ChatFields:
    """What an agent is to those who talk to it."""

    instructions: str = ""
    model: str = ""
    temperature: float | None = None
    conversation_starters: Sequence[str] = ()
    max_tool_rounds: int = DEFAULT_TOOL_ROUNDS


CHAT_FIELDS = tuple(field.name for field in fields(ChatFields))


def write_names(agent: Agent, name: str, description: str) -> None:
    name, description = name.strip(), description.strip()
    if not 1 <= len(name) <= 255:
        raise _fault("name", "Give the agent a name of 1 to 255 characters.")
    if len(description) > 1000:
        raise _fault("description", "The description is longer than 1,000 characters.")
    agent.name, agent.description = name, description


def write_chat(agent: Agent, given: ChatFields) -> list[str]:
    """Write the fields onto the agent, or raise `Invalid` with the field's name. Returns those that changed."""
    instructions = given.instructions.strip()
    if len(instructions) > LONGEST_INSTRUCTIONS:
        raise _fault("instructions", f"The instructions are longer than {LONGEST_INSTRUCTIONS:,} characters.")
    if given.temperature is not None and not 0 <= given.temperature <= 2:
        raise _fault("temperature", "The temperature is 0 to 2. Leave it empty for the provider's own.")
    if not 1 <= given.max_tool_rounds <= MOST_TOOL_ROUNDS:
        raise _fault("max_tool_rounds", f"An answer takes 1 to {MOST_TOOL_ROUNDS} rounds of tool calls.")
    written = {
        "instructions": instructions,
        # What was chosen before stays, though its provider be gone: saving something else is no question of the model.
        "model": given.model if given.model == agent.model else checked_model(agent.organization_id, given.model),
        "temperature": given.temperature,
        "conversation_starters": _starters(given.conversation_starters),
        "max_tool_rounds": given.max_tool_rounds,
    }
    changed = [name for name, value in written.items() if getattr(agent, name) != value]
    for name in changed:
        setattr(agent, name, written[name])
    return changed


def is_in_charge(caller: Caller, agent: Agent) -> bool:
    """Whether the caller made the agent, or is an admin of its organization."""
    membership = Membership.objects.filter(organization=agent.organization_id, user=caller.user_id).first()
    return membership is not None and (membership.role == Role.ADMIN or agent.created_by_id == caller.user_id)


def may_change(caller: Caller, agent: Agent) -> bool:
    """Whether the caller may change it: any member while it is in development, then whoever is in charge of it.

    An agent acts with the rights and connections of those who talk to it, so others may not turn a released one.
    """
    return agent.stage == Stage.DEVELOPMENT or is_in_charge(caller, agent)


def require_change(caller: Caller, agent: Agent) -> None:
    if not may_change(caller, agent):
        raise Forbidden(
            f"“{agent.name}” is released: only its creator and admins of {agent.organization.name} can change it. "
            "Ask one of them.",
            code="released",
        )


def require_charge(caller: Caller, agent: Agent) -> None:
    if not is_in_charge(caller, agent):
        raise Forbidden(
            f"Only the creator of “{agent.name}” and admins of {agent.organization.name} decide who may talk to it. "
            "Ask one of them.",
            code="not_in_charge",
        )


def _starters(given: Sequence[str]) -> list[str]:
    starters = [starter for line in given if (starter := " ".join(line.split()))]
    if len(starters) > MOST_STARTERS:
        raise _fault("conversation_starters", f"Give at most {MOST_STARTERS} conversation starters.")
    if any(len(starter) > LONGEST_STARTER for starter in starters):
        raise _fault("conversation_starters", f"A conversation starter has at most {LONGEST_STARTER} characters.")
    return starters


def _fault(field: str, message: str) -> Invalid:
    return Invalid(message, data={"field": field})
