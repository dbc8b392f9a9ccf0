"""What the tools' arguments and results are made of: names in camelCase, ids as strings, times in UTC."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

SERVER = "bots"
LARGEST_ID = 2**63 - 1
SANDBOX_NOTICE = (
    "This bot acts in the sandbox Discord that came with the platform: no real account and no real server is touched."
)


def _id(value: Any) -> Any:
    """An id from its digits. A number is taken too, as long as it cannot have lost digits on the way."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_ID:
        raise ValueError("an id is a string of 1 to 19 digits")
    return value


def _utc(moment: datetime) -> datetime:
    """In UTC; a time without an offset is taken as UTC."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this time is out of range") from None


def _id_schema(description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,19}$", "description": description}, mode="validation")


class Arguments(BaseModel):
    """What a tool takes: nothing that it does not know."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class Result(BaseModel):
    """What a tool gives."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


BotId = Annotated[int, BeforeValidator(_id), _id_schema("The bot's id here; stats.getOwnSubscription lists yours.")]
TicketId = Annotated[int, BeforeValidator(_id), _id_schema("The ticket's id, as ticket.list gives it.")]
CodeId = Annotated[int, BeforeValidator(_id), _id_schema("The code's id, as giftCode.list gives it.")]
GuildId = Annotated[int, BeforeValidator(_id), _id_schema("The Discord id of the guild (server).")]
UserId = Annotated[int, BeforeValidator(_id), _id_schema("The Discord id of the user.")]
RoleId = Annotated[int, BeforeValidator(_id), _id_schema("The Discord id of the role.")]
Id = Annotated[int, PlainSerializer(str, return_type=str)]
Moment = Annotated[datetime, AfterValidator(_utc)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
IdempotencyKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="Any text of your own for this one act. Sending the same call with the same key again, after a "
        "timeout for instance, gives the first call's case and acts no second time.",
    ),
]
Limit = Annotated[int, Field(ge=1, le=100, description="How many to return.")]
Cursor = Annotated[str, Field(max_length=200, description="`nextCursor` of the page before.")]
