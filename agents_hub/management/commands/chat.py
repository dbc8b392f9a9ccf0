"""`manage.py chat`: talk to an agent on a terminal, or ask it one question from a script."""

import asyncio
import sys
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from accounts.caller import Caller
from accounts.errors import DomainError
from accounts.management.people import caller_of, take_person
from agents_hub.models import Agent
from agents_hub.services import conversations
from agents_hub.terminal.following import Follower
from agents_hub.terminal.interrupts import Interrupts
from agents_hub.terminal.lines import Lines
from agents_hub.terminal.replies import Nobodys, Typed
from agents_hub.terminal.screen import Record, Screen
from agents_hub.terminal.talking import Talk, at_length, exit_code
from mcp_gateway import offload
from security.visible import visible

LEFT = 130


class Command(BaseCommand):
    help = "Talks to an agent as a person who may: with their connections, and asks them where a tool needs it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("agent", help="its id, or its name")
        take_person(parser, required=False)
        parser.add_argument("--conversation", type=UUID, metavar="ID", help="one to continue")
        parser.add_argument("--message", metavar="TEXT", help="ask this alone, and end with the answer")
        parser.add_argument("--allow", action="store_true", help="with --message: allow tools that ask before each use")
        parser.add_argument("--json", action="store_true", help="with --message: print events as lines of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["message"] is None and (options["allow"] or options["json"]):
            raise CommandError("--allow and --json go with --message.")
        caller = caller_of(options["person"] or _asked_for())
        try:
            agent = _agent(caller, options["agent"])
            if options["conversation"] is not None:
                _check(caller, agent, options["conversation"])
            code = asyncio.run(_talk(caller, agent, options))
        except DomainError as error:
            raise CommandError(visible(error.message)) from error
        except asyncio.CancelledError:
            code = LEFT
        finally:
            offload.close()
        sys.exit(code)


async def _talk(caller: Caller, agent: Agent, options: dict[str, Any]) -> int:
    lines, screen, interrupts = Lines(), Screen(sys.stdout, sys.stderr), Interrupts()
    if options["message"] is None:
        follower = Follower(caller, screen, Typed(lines, screen), interrupts)
    else:
        shows = Record(sys.stdout) if options["json"] else screen
        follower = Follower(caller, shows, Nobodys(allows=options["allow"]), interrupts)
    talk = Talk(caller, agent.pk, follower, options["conversation"])
    with interrupts.heard():
        async with follower.ready():
            if options["message"] is not None:
                return exit_code(await talk.say(options["message"]))
            await at_length(talk, lines, screen, interrupts)
    return 0


def _asked_for() -> str:
    if not sys.stdin.isatty():
        raise CommandError("Say in whose name: --as you@example.com.")
    print("Act as (e-mail address): ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _agent(caller: Caller, named: str) -> Agent:
    """The agent of that id or name, as far as the person may talk to it."""
    try:
        return conversations.agent_to_talk_to(caller, UUID(named))
    except ValueError:
        found = conversations.list_agents_to_talk_to(caller, search=named, page_size=100).rows
    agents = [agent for agent in found if agent.name.lower() == named.lower()]
    if not agents:
        near = ", ".join(agent.name for agent in found[:5])
        raise CommandError(visible(f"There is no agent {named} that you may talk to." + (near and f" Near: {near}.")))
    if len(agents) > 1:
        which = "\n".join(f"  {agent.pk}  {agent.organization.name}" for agent in agents)
        raise CommandError(visible(f"Several organizations have an agent {named}. Name one by its id:\n{which}"))
    return agents[0]


def _check(caller: Caller, agent: Agent, conversation_id: UUID) -> None:
    if conversations.find_conversation(caller, conversation_id).agent_id != agent.pk:
        raise CommandError("That conversation is with another agent.")
