"""What the shapes are made of: names in camelCase, UUIDs as strings, times in UTC, numbered pages."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

SERVER = "platform"


def _uuid(value: Any) -> Any:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except (TypeError, ValueError, AttributeError):
        raise ValueError("an id is a UUID such as 0198c0de-7a11-7000-8000-000000000000") from None


def _id(description: str) -> Any:
    schema = {"type": "string", "format": "uuid", "description": description}
    return Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema(schema, mode="validation")]


class Arguments(BaseModel):
    """What a tool takes: nothing that it does not know."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Result(BaseModel):
    """What a tool gives."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Nothing(Result):
    """What is left to say of something that is gone."""


Id = UUID
OrganizationId = _id("The organization's id, as getContext gives it.")
AgentId = _id("The agent's id, as agentList gives it.")
ProfileId = _id("The profile's id, as agentProfilesList gives it.")
PoolId = _id("The pool's id.")
FileId = _id("The file's id.")
PartId = _id("The id of one of the profile's credentials or cookies.")
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
