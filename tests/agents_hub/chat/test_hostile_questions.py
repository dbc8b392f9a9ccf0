"""Servers that ask too much in the middle of a call, and what is kept of what people tell them: nothing."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult
from pydantic import BaseModel, create_model
from starlette.responses import JSONResponse, Response

from agents_hub import tasks
from agents_hub.chat import inquiries, runner
from agents_hub.models import Inquiry, ToolUse, Turn, TurnStatus
from agents_hub.services import turns
from mcp_gateway.remote import questions
from mcp_gateway.remote.questions import MOST_FIELDS, MOST_MESSAGE, MOST_QUESTIONS, MOST_SCHEMA
from tests.agents_hub.chat.talks import Talk, asked, remote_name
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import ModelProvider, Reply

pytestmark = pytest.mark.django_db


class Age(BaseModel):
    age: int


LONG = "Tell me. " * MOST_MESSAGE
WIDE: type[BaseModel] = create_model("Wide", **{f"field_{number}": (int, ...) for number in range(MOST_FIELDS + 1)})  # type: ignore[call-overload]
LARGE: type[BaseModel] = create_model("Large", __doc__="x" * MOST_SCHEMA, age=(int, ...))


@pytest.fixture(autouse=True)
def looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notices are not heard inside a test's transaction, so answers are found by looking."""
    monkeypatch.setattr(runner, "TICK_SECONDS", 0.05)


def calling(name: str, /, **arguments: Any) -> Reply:
    return Reply(pieces=(), calls=((name, json.dumps(arguments)),))


def asked_of(talk: Talk) -> Turn:
    return turns.begin(talk.caller, conversation_id=talk.conversation.pk, text="Please.")


def declining(talk: Talk, turn: Turn, times: int) -> Any:
    async def decline() -> None:
        for _ in range(times):
            await talk.reply(turn, "decline")

    return decline


def old(hostile: McpServer, message: str, schema: type[BaseModel], times: int) -> str:
    """An older server's tool that asks so often; what it was refused with is its result. Returns the tool's name."""
    hostile.older = True

    async def nag(context: Context) -> str:
        for _ in range(times):
            try:
                await context.elicit(message, schema)
            except MCPError as refusal:
                return f"refused with {refusal.error.code}: {refusal}"
        return "asked all"

    hostile.tools.add_tool(nag, description="Asks.")
    return "nag"


def modern(hostile: McpServer, message: str, schema: type[BaseModel], times: int) -> str:
    """The same of a server without sessions, which asks all at once."""
    hostile.tools.add_tool(lambda: "", name="nag", description="Asks.")
    params = ElicitRequestFormParams(message=message, requested_schema=schema.model_json_schema())
    wanted = InputRequiredResult(
        input_requests={str(number): ElicitRequest(params=params) for number in range(times)}, request_state="more"
    ).model_dump(by_alias=True, mode="json", exclude_none=True)

    def answer() -> Response:
        return JSONResponse({"jsonrpc": "2.0", "id": hostile.seen[-1].rpc["id"], "result": wanted})

    hostile.by_method["tools/call"] = answer
    return "nag"


@pytest.mark.parametrize("server_asks", [old, modern])
@pytest.mark.parametrize(
    ("message", "schema", "why"),
    [(LONG, Age, "message is longer"), ("Age?", WIDE, "more than 30 fields"), ("Age?", LARGE, "form is longer")],
    ids=["message", "fields", "form"],
)
def test_a_question_that_nobody_could_read_is_put_to_nobody_and_refused(
    talk: Talk, model: ModelProvider, hostile: McpServer, server_asks: Any, message: str, schema: Any, why: str
) -> None:
    name = server_asks(hostile, message, schema, 1)
    evil = talk.give(hostile, slug="evil")
    model.answers += [calling(remote_name(evil, name)), Reply()]
    turn = talk.say()
    assert turn.status == TurnStatus.COMPLETED
    assert not Inquiry.objects.exists()
    told = str(asked(model)[-1]["content"])
    assert why in told
    if server_asks is old:
        assert "refused with -32602" in told


def test_an_older_server_that_goes_on_asking_in_one_call_is_refused(
    talk: Talk, model: ModelProvider, hostile: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "MOST_QUESTIONS", 3)
    evil = talk.give(hostile, slug="evil")
    model.answers += [calling(remote_name(evil, old(hostile, "Age?", Age, 50))), Reply()]
    turn = asked_of(talk)
    talk.answered(turn, declining(talk, turn, 3))
    assert turn.inquiries.count() == 3
    assert "at most 3 questions" in str(asked(model)[-1]["content"])


def test_a_thousand_questions_at_once_end_the_call(talk: Talk, model: ModelProvider, hostile: McpServer) -> None:
    evil = talk.give(hostile, slug="evil")
    model.answers += [calling(remote_name(evil, modern(hostile, "Age?", Age, 1_000))), Reply()]
    turn = talk.say()
    assert turn.status == TurnStatus.COMPLETED
    assert turn.tool_uses.get().status == ToolUse.Status.FAILED
    assert turn.inquiries.count() <= MOST_QUESTIONS
    assert "at most 10 questions" in str(asked(model)[-1]["content"])


def test_many_calls_of_one_answer_ask_no_more_than_a_person_is_asked_for_it(
    talk: Talk, model: ModelProvider, hostile: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiries, "MOST_A_TURN", 2)
    name = old(hostile, "Age?", Age, 1)
    nag = calling(remote_name(talk.give(hostile, slug="evil"), name))
    model.answers += [nag, nag, nag, Reply()]
    turn = asked_of(talk)
    talk.answered(turn, declining(talk, turn, 2))
    assert turn.inquiries.count() == 2
    assert "at most 2 questions" in str(asked(model)[-1]["content"])


def test_what_a_person_filled_in_for_a_server_is_kept_nowhere_once_it_was_sent(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    model.answers += [calling(remote_name(printer, "ship"), order="7"), Reply()]
    turn = asked_of(talk)
    talk.answered(turn, lambda: talk.reply(turn, "accept", street="Elm Street"))
    assert "Elm Street" in str(asked(model)[-1]["content"])
    assert turn.inquiries.get().answer == {"action": "accept"}


def test_what_was_filled_in_and_never_taken_up_is_forgotten_when_the_answer_ended(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    model.answers += [calling(remote_name(printer, "ship"), order="7"), Reply()]
    turn = asked_of(talk)

    async def answer_too_late() -> None:
        inquiry = await talk.inquiry(turn)
        await talk.stop(turn)
        given = {"action": "accept", "content": {"street": "Elm Street"}}
        answered = Inquiry.objects.filter(pk=inquiry.pk)
        await sync_to_async(answered.update)(answer=given, answered_at=timezone.now())

    talk.answered(turn, answer_too_late)
    tasks.look_after_turns()
    assert turn.inquiries.get().answer == {"action": "accept"}
