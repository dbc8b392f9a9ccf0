"""Talking to an agent from a test: asking, having the turn carried out, and looking at what came of it."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async

from accounts.caller import Caller
from agents_hub.chat import claiming, lost
from agents_hub.chat.run import TurnRun
from agents_hub.chat.runner import Runner
from agents_hub.chat.scribe import Scribe
from agents_hub.models import Agent, AgentServer, Conversation, Inquiry, ToolUse, Turn, TurnEvent
from agents_hub.services import conversations, turns
from mcp_gateway.models import RemoteServer, RemoteTool
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import ModelProvider, Reply
from tests.mcp_gateway.remote.elsewhere import row, run


@dataclass
class Talk:
    caller: Caller
    agent: Agent
    conversation: Conversation

    @classmethod
    def begin(cls, caller: Caller, agent: Agent) -> "Talk":
        return cls(caller, agent, conversations.begin_conversation(caller, agent_id=agent.pk))

    def say(self, text: str = "Hello?") -> Turn:
        """Ask, and have it answered to the end."""
        return self.answered(turns.begin(self.caller, conversation_id=self.conversation.pk, text=text))

    def answered(self, turn: Turn, meanwhile: "Callable[[], Any] | None" = None) -> Turn:
        """The turn carried out. `meanwhile` runs beside it, in the test's own thread."""

        async def work() -> None:
            runner = Runner()
            async with runner.running():
                carried = asyncio.create_task(runner.carry_out(turn.pk))
                if meanwhile is not None:
                    await meanwhile()
                assert await carried

        run(work)
        turn.refresh_from_db()
        turn.answer.refresh_from_db()
        return turn

    def give(self, server: McpServer, slug: str = "printer", **fields: Any) -> RemoteServer:
        """Assign the remote server to the agent."""
        given = row(self.agent.organization, server, slug=slug, **fields)
        AgentServer.objects.create(agent=self.agent, server=given)
        return given

    async def inquiry(self, turn: Turn) -> Inquiry:
        """What the turn asks its person, once it does."""
        while True:
            open_ones = Inquiry.objects.filter(turn=turn, answered_at=None)
            if (found := await sync_to_async(open_ones.first)()) is not None:
                return found
            await asyncio.sleep(0.01)

    async def seen(self, turn: Turn, kind: str) -> None:
        """Until an event of that kind is there for those who look on."""
        events = TurnEvent.objects.filter(turn=turn, kind=kind)
        while not await sync_to_async(events.exists)():
            await asyncio.sleep(0.01)

    async def moment(self) -> None:
        await asyncio.sleep(0.01)

    async def used(self, turn: Turn, times: int) -> None:
        """Until so many calls of the turn are done."""
        done = ToolUse.objects.filter(turn=turn, status=ToolUse.Status.DONE)
        while await sync_to_async(done.count)() < times:
            await asyncio.sleep(0.01)

    async def stop(self, turn: Turn) -> None:
        await sync_to_async(turns.stop)(self.caller, turn_id=turn.pk)

    async def reply(self, turn: Turn, action: str, **content: Any) -> None:
        inquiry = await self.inquiry(turn)
        await sync_to_async(turns.answer_inquiry)(
            self.caller, inquiry_id=inquiry.pk, action=action, content=content or None
        )


def remote_name(server: RemoteServer, tool: str) -> str:
    return f"{server.slug}_{server.pk}__{tool}"


def asked(model: ModelProvider, number: int = -1) -> list[dict[str, Any]]:
    """The messages of a question to the model."""
    messages: list[dict[str, Any]] = model.seen[number].body["messages"]
    return messages


def offered(model: ModelProvider, number: int = -1) -> list[str]:
    return [tool["function"]["name"] for tool in model.seen[number].body.get("tools", [])]


async def halfway(model: ModelProvider) -> None:
    """Until the model stands still in the midst of its answer."""
    assert await asyncio.to_thread(model.halfway.wait, 60)


async def words_seen(talk: Talk, model: ModelProvider, turn: Turn) -> None:
    """Until the model stands still and those who look on have seen its first words."""
    await halfway(model)
    await talk.seen(turn, "text")


def calling(name: str, /, **arguments: Any) -> Reply:
    return Reply(pieces=(), calls=((name, json.dumps(arguments)),))


def begun(talk: Talk) -> Turn:
    return turns.begin(talk.caller, conversation_id=talk.conversation.pk, text="Please.")


def asking_first(talk: Talk, server: McpServer) -> Any:
    printer = talk.give(server)
    talk.say("What can you do?")
    assert RemoteTool.objects.filter(server=printer, name="echo").update(ask_first=True) == 1
    type(printer).objects.filter(pk=printer.pk).update(revision=printer.revision + 1)
    server.seen.clear()
    return printer


def lose(
    turn: Turn, come_so_far: Callable[[], Coroutine[Any, Any, None]], before_it_is_noticed: Callable[[], object] = list
) -> None:
    """Have it carried out by somebody who vanishes when it has come so far."""

    async def work() -> None:
        scribe = Scribe()
        writing = asyncio.create_task(scribe.write())
        (held,) = await sync_to_async(claiming.claim)(1)
        carried = asyncio.create_task(TurnRun(held, scribe).run())
        await come_so_far()
        carried.cancel()
        writing.cancel()
        await asyncio.gather(carried, writing, return_exceptions=True)

    run(work)
    before_it_is_noticed()
    Turn.objects.filter(pk=turn.pk).update(lease_until="2020-01-01T00:00:00Z")
    assert lost.give_up_lost() == 1
    turn.refresh_from_db()
    turn.answer.refresh_from_db()
