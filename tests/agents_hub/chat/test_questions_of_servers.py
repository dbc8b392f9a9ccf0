"""A server's question as people meet it at each door: fields in its order, and answers that do not fit sent back."""

import json
from typing import Any, Literal

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from mcp.server.mcpserver import Context
from pydantic import BaseModel, Field

from accounts.errors import Invalid
from agents_hub.chat import runner
from agents_hub.models import Inquiry
from agents_hub.services import turns
from agents_hub.shapes.turns import InquiryShape
from agents_hub.terminal import replies
from agents_hub.terminal.replies import Reply, Typed
from tests.agents_hub.chat.seeing import shown
from tests.agents_hub.chat.talks import Talk, asked, begun, calling, remote_name
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import ModelProvider
from tests.fakes.model_provider import Reply as ModelReply
from tests.mcp_gateway.remote.elsewhere import run

pytestmark = pytest.mark.django_db


class Berth(BaseModel):
    """Fields whose names the database would sort otherwise."""

    vessel: str = Field(title="Name of the vessel", min_length=2)
    mooring: list[Literal["bow", "stern"]] = Field(title="Moor by")
    at: str = Field(title="Arrives", json_schema_extra={"format": "date"})


FILLED_IN = {"vessel": "Ida", "mooring": ["bow"], "at": "2026-03-01"}
ORDER = ["vessel", "mooring", "at"]


@pytest.fixture(autouse=True)
def looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notices are not heard inside a test's transaction, so answers are found by looking."""
    monkeypatch.setattr(runner, "TICK_SECONDS", 0.05)


def told_by_the_server(talk: Talk, model: ModelProvider, hostile: McpServer, meanwhile: Any) -> str:
    """What the model is told of a call in which the server asks for a berth, with `meanwhile` given the question."""
    hostile.older = True

    @hostile.tools.tool()
    async def book(context: Context) -> str:
        given = await context.elicit("Which berth?", Berth)
        return given.model_dump_json()

    harbour = talk.give(hostile, "harbour")
    model.answers += [calling(remote_name(harbour, "book")), ModelReply()]
    turn = begun(talk)

    async def beside() -> None:
        await meanwhile(await talk.inquiry(turn))

    talk.answered(turn, beside)
    return str(asked(model)[-1]["content"])


def answer(talk: Talk, inquiry: Inquiry, content: dict[str, Any]) -> None:
    turns.answer_inquiry(talk.caller, inquiry_id=inquiry.pk, action="accept", content=content)


def test_fields_are_shown_under_their_titles_in_the_servers_order_and_sent_as_it_names_them(
    talk: Talk, browser: Client, model: ModelProvider, hostile: McpServer
) -> None:
    pages: list[str] = []

    async def meanwhile(inquiry: Inquiry) -> None:
        pages.append(await sync_to_async(shown)(browser, talk))
        await sync_to_async(answer)(talk, inquiry, FILLED_IN)

    told = told_by_the_server(talk, model, hostile, meanwhile)
    assert "Ida" in told
    places = [pages[0].index(title) for title in ("Name of the vessel", "Moor by", "Arrives")]
    assert places == sorted(places)
    assert pages[0].count('type="checkbox"') == 2


def test_programs_are_told_the_schema_as_the_server_wrote_it(
    talk: Talk, model: ModelProvider, hostile: McpServer
) -> None:
    schemas: list[Any] = []

    async def meanwhile(inquiry: Inquiry) -> None:
        schemas.append(InquiryShape.of(inquiry).model_dump(by_alias=True)["schema"])
        await sync_to_async(answer)(talk, inquiry, FILLED_IN)

    told_by_the_server(talk, model, hostile, meanwhile)
    assert list(schemas[0]["properties"]) == ORDER
    assert not [key for key in schemas[0] if key.startswith("x-")]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"at": "tomorrow"}, "at: Write a day"),
        ({"vessel": "I"}, "vessel: Write at least 2"),
        ({"mooring": ["anchor"]}, "mooring: Choose among"),
        ({"vessel": 7}, "vessel: Write a text"),
    ],
    ids=["day", "short", "choice", "kind"],
)
def test_an_answer_that_does_not_fit_is_sent_back_and_the_question_stays_open(
    talk: Talk, model: ModelProvider, hostile: McpServer, wrong: dict[str, Any], said: str
) -> None:
    refusals: list[str] = []

    async def meanwhile(inquiry: Inquiry) -> None:
        try:
            await sync_to_async(answer)(talk, inquiry, FILLED_IN | wrong)
        except Invalid as refusal:
            refusals.append(refusal.message)
        await sync_to_async(answer)(talk, inquiry, FILLED_IN)

    told = told_by_the_server(talk, model, hostile, meanwhile)
    assert said in refusals[0]
    assert "Ida" in told


def test_on_a_terminal_choices_are_typed_by_their_names_with_a_comma_between() -> None:
    inquiry = Inquiry(kind=Inquiry.Kind.FORM, asked_by="Harbour", message="Which berth?")
    several = {"type": "array", "items": {"anyOf": [{"const": 1, "title": "First"}, {"const": 2, "title": "Second"}]}}
    inquiry.keep_schema({"type": "object", "properties": {"berths": several}, "required": ["berths"]})
    lines = ["yes", "First, 2"]

    class Ahead:
        async def next(self) -> str | None:
            return lines.pop(0)

    class Silent:
        def prompt(self, text: str) -> None: ...
        def note(self, text: str) -> None: ...
        def is_typed(self, line: str | None) -> None: ...

    async def typed() -> Reply:
        return await Typed(Ahead(), Silent()).to(inquiry)  # type: ignore[arg-type]

    assert run(typed) == replies.Reply("accept", {"berths": [1, 2]})
    assert json.loads(json.dumps(inquiry.form_schema["properties"])) == {"berths": several}
