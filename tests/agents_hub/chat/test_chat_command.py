"""`manage.py chat` as people and scripts meet it: real processes, on a pipe and on a terminal."""

import codecs
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from agents_hub.models import Agent, Conversation, Grant, Stage, ToolUse, Turn, TurnStatus
from agents_hub.services import turns
from mcp_gateway.models import RemoteServer, RemoteTool
from tests.agents_hub.chat.talks import asked, remote_name
from tests.agents_hub.factories import AgentFactory, member_of
from tests.bots.processes import ROOT, database_url
from tests.factories import MembershipFactory, caller_for
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import Fault, ModelProvider, Reply
from tests.mcp_gateway.remote.elsewhere import row

# Each starts the command as a process: that is what a terminal and a shell are about.
pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 60


@pytest.fixture
def person(agent: Agent) -> User:
    return member_of(agent.organization)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", "chat", *arguments]


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.agents_hub.chat.web_settings",
        "TEST_DATABASE_URL": database_url(),
        "TEST_WEB_PORT": "8000",
        "LOG_LEVEL": "WARNING",
    }


def chat(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """The command, run to its end with that typed ahead."""
    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env=environment(),
        input=typed,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


class Terminal:
    """The command on a terminal of its own, read until something is on it, and typed into."""

    def __init__(self, *arguments: str) -> None:
        self._mine, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command(*arguments),
            cwd=ROOT,
            env=environment(),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            # So that Ctrl-C, typed here, reaches it.
            preexec_fn=_takes_terminal,
        )
        os.close(theirs)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.shown = ""

    def until(self, wanted: str) -> str:
        """All that is new up to that."""
        ends = time.monotonic() + SECONDS
        while wanted not in self.shown:
            ready, _, _ = select.select([self._mine], [], [], max(0, ends - time.monotonic()))
            assert ready, f"it did not come about: {self.shown}"
            try:
                self.shown += self._decoder.decode(os.read(self._mine, 65_536))
            except OSError:  # the other end is closed
                raise AssertionError(f"it ended: {self.shown}") from None
        before, _, self.shown = self.shown.partition(wanted)
        return before + wanted

    def type(self, text: str) -> None:
        os.write(self._mine, text.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait(30)
        os.close(self._mine)


def _takes_terminal() -> None:
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminals() -> Iterator[Any]:
    with ExitStack() as open_ones:

        def open_one(*arguments: str) -> Terminal:
            terminal = Terminal(*arguments)
            open_ones.callback(terminal.close)
            return terminal

        yield open_one


def given(agent: Agent, server: McpServer, *tools: str) -> RemoteServer:
    """The server assigned to the agent, with tools that ask first."""
    printer = row(agent.organization, server, slug="printer")
    agent.agent_servers.create(server=printer)
    for name in tools:
        definition = {"name": name, "inputSchema": {"type": "object"}}
        RemoteTool.objects.create(server=printer, name=name, definition=definition, digest="0" * 64, ask_first=True)
    return printer


def test_one_question_is_answered_on_the_output_with_all_else_beside_it(
    agent: Agent, person: User, model: ModelProvider, server: McpServer
) -> None:
    printer = given(agent, server)
    call = (remote_name(printer, "echo"), json.dumps({"text": "ink \x1b[31m"}))
    model.answers += [Reply(pieces=(), calls=(call,)), Reply(pieces=("All ", "printed.\x1b]0;owned\x07"))]
    ended = chat("helper", "--as", person.email, "--message", "Print it")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "All printed.[U+001B]]0;owned[U+0007]\n"
    assert f"> {printer.name}: Say again" in ended.stderr
    assert f"< {printer.name}: Say again done: ink [U+001B][31m" in ended.stderr
    assert "\x1b" not in ended.stderr
    assert asked(model, 0)[-1]["content"] == "Print it"


def test_without_anybody_to_ask_nothing_is_allowed_unless_the_command_says_so(
    agent: Agent, person: User, model: ModelProvider, server: McpServer
) -> None:
    printer = given(agent, server, "echo")
    call = Reply(pieces=(), calls=((remote_name(printer, "echo"), '{"text": "ink"}'),))
    model.answers += [call, Reply()]
    refused = chat(str(agent.pk), "--as", person.email, "--message", "Print", "--json")
    assert refused.returncode == 0, refused.stderr
    assert not server.asked("tools/call")
    lines = [json.loads(line) for line in refused.stdout.splitlines()]
    assert [line["kind"] for line in lines].count("inquiry") == 1
    assert lines[-1]["kind"] == "turn"
    assert lines[-1]["body"]["text"] == "Hello there."
    assert [use["status"] for use in lines[-1]["body"]["toolUses"]] == ["denied"]
    model.answers += [call, Reply()]
    allowed = chat(str(agent.pk), "--as", person.email, "--message", "Print", "--allow")
    assert allowed.returncode == 0, allowed.stderr
    assert len(server.asked("tools/call")) == 1


def test_how_it_ended_is_told_by_the_exit_code(agent: Agent, person: User, model: ModelProvider) -> None:
    model.answers.append(Fault(401))
    failed = chat("Helper", "--as", person.email, "--message", "Hello?")
    assert failed.returncode == 1
    assert "Check it under Models" in failed.stderr
    assert Turn.objects.get().status == TurnStatus.ERROR


@pytest.mark.parametrize("named", ["Nobody", "Elsewhere", "its id"])
def test_an_agent_that_the_person_may_not_talk_to_is_not_there(agent: Agent, person: User, named: str) -> None:
    other = AgentFactory(name="Elsewhere")
    named = str(other.pk) if named == "its id" else named
    with pytest.raises(CommandError, match="There is no"):
        call_command("chat", named, "--as", person.email, "--message", "Hello?")


def test_of_two_agents_of_one_name_neither_is_guessed(agent: Agent, person: User) -> None:
    other = AgentFactory(name="helper", stage=Stage.RELEASED)
    MembershipFactory(organization=other.organization, user=person)
    with pytest.raises(CommandError, match=str(other.pk)):
        call_command("chat", "Helper", "--as", person.email, "--message", "Hello?")


def test_a_conversation_is_gone_on_with_and_an_answer_that_failed_is_taken_up_again(
    agent: Agent, person: User, model: ModelProvider
) -> None:
    model.answers += [Reply(), Fault(401), Reply(pieces=("Here again.",))]
    first = chat("Helper", "--as", person.email, typed="One\nTwo\n/again\n")
    assert first.returncode == 0, first.stderr
    assert first.stdout == "Hello there.\nHere again.\n"
    (conversation,) = Conversation.objects.all()
    assert f"--conversation {conversation.pk}" in first.stderr
    more = chat("Helper", "--as", person.email, "--conversation", str(conversation.pk), "--message", "Three")
    assert more.returncode == 0, more.stderr
    assert [message["content"] for message in asked(model)[1:]] == [
        "One", "Hello there.", "Two", "Here again.", "Three",
    ]  # fmt: skip


def test_a_conversation_of_somebody_else_is_not_there(agent: Agent, person: User) -> None:
    theirs = Conversation.objects.create(
        agent=agent, organization=agent.organization, owner=member_of(agent.organization)
    )
    with pytest.raises(CommandError, match="You have no such conversation"):
        call_command("chat", "Helper", "--as", person.email, "--conversation", str(theirs.pk), "--message", "Hello?")


def test_a_person_at_a_terminal_is_asked_fills_forms_in_and_stops_answers(
    agent: Agent, person: User, model: ModelProvider, server: McpServer, terminals: Any
) -> None:
    printer = given(agent, server, "echo")
    echo = Reply(pieces=(), calls=((remote_name(printer, "echo"), '{"text": "ink"}'),))
    model.answers += [echo, Reply(pieces=("Printed.",))]
    terminal = terminals("Helper")
    terminal.until("Act as")
    terminal.type(f"{person.email}\n")
    terminal.until("you: ")
    terminal.type("Print\n")
    terminal.until("(d)eny? ")
    terminal.type("perhaps\n")
    terminal.until("(d)eny? ")
    terminal.type("a\n")
    terminal.until("Printed.")
    assert Grant.objects.get().tool == remote_name(printer, "echo")

    terminal.until("you: ")
    model.answers += [Reply(pieces=(), calls=((remote_name(printer, "ship"), '{"order": "7"}'),)), Reply(("Sent.",))]
    terminal.type("Ship\n")
    assert "Where shall 7 go?" in terminal.until("(yes, no) ")
    terminal.type("yes\n")
    terminal.until("Street: ")
    terminal.type("Elm Street\n")
    terminal.until("Sent.")
    assert "Elm Street" in asked(model)[-1]["content"]

    terminal.until("you: ")
    model.answers.append(Reply(pieces=("One ", "two ", "three ", "four."), held=True))
    terminal.type("Count\n")
    terminal.until("One")
    terminal.type("\x03")
    terminal.until("Stopped.")
    terminal.until("you: ")
    model.go.set()
    terminal.type("And now?\n")
    terminal.until("Hello there.")
    terminal.until("you: ")
    terminal.type("\x04")
    terminal.until("--conversation")
    assert terminal.process.wait(SECONDS) == 0
    assert list(Turn.objects.order_by("id").values_list("status", flat=True)) == [
        TurnStatus.COMPLETED, TurnStatus.COMPLETED, TurnStatus.STOPPED, TurnStatus.COMPLETED,
    ]  # fmt: skip
    assert set(ToolUse.objects.values_list("status", flat=True)) == {ToolUse.Status.DONE}


def test_what_was_answered_elsewhere_is_no_longer_asked_here(
    agent: Agent, person: User, model: ModelProvider, server: McpServer, terminals: Any
) -> None:
    printer = given(agent, server, "echo")
    model.answers += [Reply(pieces=(), calls=((remote_name(printer, "echo"), '{"text": "ink"}'),)), Reply(("Done.",))]
    terminal = terminals("Helper", "--as", person.email)
    terminal.until("you: ")
    terminal.type("Print\n")
    terminal.until("(d)eny? ")
    inquiry = Turn.objects.get().inquiries.get()
    turns.answer_inquiry(caller_for(person), inquiry_id=inquiry.pk, action="once")
    terminal.until("This question is closed")
    terminal.until("Done.")
    terminal.until("you: ")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(SECONDS) == 0
