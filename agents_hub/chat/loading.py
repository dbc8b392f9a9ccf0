"""What a turn begins with, read once."""

from dataclasses import dataclass

from accounts.caller import Caller, Door
from accounts.scopes import Scope
from agents_hub.chat import history, store
from agents_hub.chat.history import Steps
from agents_hub.chat.store import Held
from agents_hub.models import Agent, Message, TaskRun, ToolUse, Turn
from agents_hub.services.conversations import agent_to_talk_to, branch_ids
from llm.compaction import due_from
from llm.services.choosing import window_of
from llm.turns import Turn as Told


@dataclass(slots=True)
class Loaded:
    """`before` is the history up to what is asked, `steps` how far the turn has come, `uses` the calls made in it."""

    turn: Turn
    agent: Agent
    caller: Caller
    person: str
    before: list[Told]
    steps: Steps
    uses: list[ToolUse]
    last_event: int
    long_from: int
    """Tokens of a history from which on it is made short for the agent's model."""
    is_unattended: bool
    """Whether the clock asked and no person has had it gone on with: nobody is there to allow a call, or to answer a
    server's question."""


def load(held: Held) -> Loaded:
    """Raises `NotFound` where the person may no longer talk to the agent."""
    turn = Turn.objects.select_related("conversation__owner").get(pk=held.id)
    conversation, owner = turn.conversation, turn.conversation.owner
    # The branch that this turn answers, whichever is shown by now.
    branch = branch_ids(turn.answer_id)
    messages = Message.objects.in_bulk(branch)
    caller = Caller(user_id=owner.pk, scope=Scope(turn.scope), door=Door.CHAT, api_key_id=turn.api_key_id)
    agent = agent_to_talk_to(caller, conversation.agent_id)
    return Loaded(
        turn=turn,
        agent=agent,
        caller=caller,
        person=owner.name or owner.email,
        before=history.told_before([messages[pk] for pk in branch[:-1]]),
        steps=history.steps_by_answer([turn.answer_id]).get(turn.answer_id) or Steps(),
        uses=list(turn.tool_uses.order_by("round", "place")),
        last_event=store.last_event(held.id),
        long_from=due_from(window_of(agent.organization_id, agent.model)),
        is_unattended=turn.resumed_at is None and TaskRun.objects.filter(turn=turn, due_at__isnull=False).exists(),
    )
