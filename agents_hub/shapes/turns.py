"""Turns on the wire: how an answer stands, what tools did in it, what it asks, and its events."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from django.urls import reverse
from pydantic import Field

from agents_hub.chat.previews import LONGEST_TEXT, Preview
from agents_hub.models import Inquiry, ToolUse, Turn
from agents_hub.shapes.wire import Id, InquiryId, ToolUseId, TurnId, TurnStatusName
from mcp_gateway.rest.answers import Accepted
from mcp_gateway.shapes import Arguments, Moment, Result


class ToolUseShape(Result):
    id: Id
    round: int
    name: str
    title: str
    origin: str = Field(description="The name of the server, or of what offers the tool.")
    status: Literal["waiting", "running", "done", "failed", "denied", "stopped", "unknown"]
    arguments: dict[str, Any]
    result: dict[str, Any] | None = Field(description="content (blocks as MCP has them), structured, notes.")
    is_cut: bool = Field(
        description=f"Whether the result is its beginning: texts of more than {LONGEST_TEXT:,} characters are cut, "
        "and bytes left out. GET /api/tool-uses/{toolUseId} has it whole."
    )
    started_at: Moment
    ended_at: Moment | None

    @classmethod
    def whole(cls, use: ToolUse) -> "ToolUseShape":
        return cls._of(use, use.result, is_cut=False)

    @classmethod
    def begun(cls, use: ToolUse, preview: Preview | None) -> "ToolUseShape":
        """With the beginning of what it gave; the row's own result is not looked at."""
        if preview is None:
            return cls._of(use, None, is_cut=False)
        structured = preview.structured_cut or preview.structured
        shown = {"content": preview.blocks, "structured": structured, "notes": preview.notes}
        return cls._of(use, shown, is_cut=preview.is_cut)

    @classmethod
    def _of(cls, use: ToolUse, result: dict[str, Any] | None, *, is_cut: bool) -> "ToolUseShape":
        return cls(
            id=use.pk,
            round=use.round,
            name=use.name,
            title=use.title,
            origin=use.origin_name,
            status=use.status,
            arguments=use.arguments,
            result=result,
            is_cut=is_cut,
            started_at=use.started_at,
            ended_at=use.ended_at,
        )


class InquiryShape(Result):
    """What the turn waits for: allow a call (once, always, deny), fill a form in, or visit a page (accept, decline)."""

    id: Id
    tool_use_id: Id
    kind: Literal["permission", "form", "page"]
    asked_by: str
    message: str
    schema_: dict[str, Any] | None = Field(alias="schema", description="Of a form: a JSON Schema of flat fields.")
    url: str | None

    @classmethod
    def of(cls, inquiry: Inquiry) -> "InquiryShape":
        return cls(
            id=inquiry.pk,
            tool_use_id=inquiry.tool_use_id,
            kind=inquiry.kind,
            asked_by=inquiry.asked_by,
            message=inquiry.message,
            schema_=inquiry.form_schema if inquiry.kind == Inquiry.Kind.FORM else None,
            url=inquiry.url or None,
        )


class UsageShape(Result):
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: Decimal | None = Field(description="Empty where nobody knows the model's price.")
    unpriced_calls: int = Field(description="Calls of models whose price nobody knows: the cost is without theirs.")


class FaultShape(Result):
    code: str
    message: str


class TurnShape(Result):
    id: Id
    conversation_id: Id
    message_id: Id = Field(description="Of the agent's message, which this turn answers with.")
    status: TurnStatusName
    text: str = Field(description="What the agent has written so far.")
    error: FaultShape | None
    model: str
    tool_uses: list[ToolUseShape]
    inquiries: list[InquiryShape] = Field(description="Those that wait for an answer.")
    usage: UsageShape
    created_at: Moment
    ended_at: Moment | None

    @classmethod
    def of(cls, turn: Turn, previews: Mapping[UUID, Preview] | None = None, *, text: str | None = None) -> "TurnShape":
        """From a turn with its answer, tool uses and inquiries at hand; without previews, results are whole."""
        return cls(
            id=turn.pk,
            conversation_id=turn.conversation_id,
            message_id=turn.answer_id,
            status=turn.status,
            text=turn.answer.text if text is None else text,
            error=FaultShape(code=turn.error_code, message=turn.error) if turn.error else None,
            model=turn.model,
            tool_uses=[
                ToolUseShape.whole(use) if previews is None else ToolUseShape.begun(use, previews.get(use.pk))
                for use in turn.tool_uses.all()
            ],
            inquiries=[InquiryShape.of(one) for one in turn.inquiries.all() if _is_open(turn, one)],
            usage=UsageShape(
                input_tokens=turn.input_tokens,
                cached_tokens=turn.cached_tokens,
                output_tokens=turn.output_tokens,
                cost_usd=turn.cost_usd,
                unpriced_calls=turn.unpriced_calls,
            ),
            created_at=turn.created_at,
            ended_at=turn.ended_at,
        )


class Asked(Result, Accepted):
    conversation_id: Id
    turn_id: Id
    message_id: Id = Field(description="Of the agent's message that is being written.")

    @classmethod
    def of(cls, turn: Turn) -> "Asked":
        return cls(conversation_id=turn.conversation_id, turn_id=turn.pk, message_id=turn.answer_id)

    def location(self) -> str:
        return reverse("rest-chat:turns-turnId", args=[self.turn_id])


class OneTurn(Arguments):
    turn_id: TurnId


class OneToolUse(Arguments):
    tool_use_id: ToolUseId


class ListEvents(Arguments):
    turn_id: TurnId
    after: Annotated[int, Field(ge=0, le=2_000_000_000, description="The number of the last event known.")] = 0


class EventShape(Result):
    number: int
    kind: str
    body: dict[str, Any]


class EventsShape(Result):
    turn_id: Id
    events: list[EventShape] = Field(description="At most 500; ask again after the last one's number.")
    status: TurnStatusName
    is_over: bool = Field(description="Whether no event comes after these.")


class AnswerInquiry(Arguments):
    inquiry_id: InquiryId
    action: Literal["once", "always", "deny", "accept", "decline", "cancel"]
    content: Annotated[
        dict[str, str | int | float | bool | list[str] | None] | None,
        Field(description="What a form was filled in with, for accept.", max_length=100),
    ] = None


class Answered(Result):
    id: UUID
    action: str


def _is_open(turn: Turn, inquiry: Inquiry) -> bool:
    return not turn.is_over and inquiry.answered_at is None
