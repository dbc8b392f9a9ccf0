"""What the shapes of tools and routes are made of: names in camelCase, UUIDs as strings, numbered pages, secrets."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializationInfo,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from security.redact import REDACTED

# The context with which `model_dump` gives secrets in clear. Without it they are redacted, so that nothing that dumps
# arguments to log, audit or show them has to think of it.
IN_CLEAR = {"secrets": "in clear"}


def _uuid(value: Any) -> Any:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except (TypeError, ValueError, AttributeError):
        raise ValueError("an id is a UUID such as 0198c0de-7a11-7000-8000-000000000000") from None


def uuid_id(description: str) -> Any:
    """The type of an argument that names a row by its UUID."""
    schema = {"type": "string", "format": "uuid", "description": description}
    return Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema(schema, mode="validation")]


def _redacted(value: str, info: SerializationInfo) -> str:
    return value if info.context == IN_CLEAR or not value else REDACTED


# A secret that goes in: read as it is, and dumped as [REDACTED].
Secret = Annotated[str, PlainSerializer(_redacted, return_type=str)]


class Arguments(BaseModel):
    """What a tool takes: nothing that it does not know."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Result(BaseModel):
    """What a tool gives."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Nothing(Result):
    """What is left to say of something that is gone."""


OrganizationId = uuid_id("The organization's id, as getContext gives it.")
Moment = datetime
Direction = Literal["asc", "desc"]

Item = TypeVar("Item")


class PageArguments(Arguments):
    """One numbered page of a list."""

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=100)] = 10
    sort_direction: Direction = "desc"


class PageOf(Result, Generic[Item]):
    items: list[Item]
    page: int
    page_size: int
    total: int
