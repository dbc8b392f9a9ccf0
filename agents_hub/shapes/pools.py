"""Pools of profiles on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from agents_hub.models import ProfilePool
from agents_hub.shapes.profiles import Name
from agents_hub.shapes.wire import Id, PoolId, ProfileId
from mcp_gateway.shapes import Arguments, Direction, Moment, OrganizationId, PageArguments, PageOf, Result

Strategy = Literal["least_recently_used", "most_recently_used"]


class PoolShape(Result):
    id: Id
    name: str
    organization_id: Id
    selection_strategy: Strategy
    allow_concurrent_use: bool
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, pool: ProfilePool) -> "PoolShape":
        """From a row with its organization at hand."""
        return cls(
            id=pool.pk,
            name=pool.name,
            organization_id=pool.organization.uid,
            selection_strategy=pool.selection_strategy,
            allow_concurrent_use=pool.allow_concurrent_use,
            created_at=pool.created_at,
            updated_at=pool.updated_at,
        )


class PoolPage(PageOf[PoolShape]):
    pass


class ListPools(PageArguments):
    organization_id: OrganizationId | None = None
    search_name: Annotated[str, Field(max_length=255)] | None = None
    sort_field: Literal["name", "created_at"] = "created_at"


class CreatePool(Arguments):
    organization_id: OrganizationId
    name: Name
    selection_strategy: Strategy = "least_recently_used"
    allow_concurrent_use: bool = False


class UpdatePool(Arguments):
    pool_id: PoolId
    name: Name | None = None
    selection_strategy: Strategy | None = None
    allow_concurrent_use: bool | None = None


class OnePool(Arguments):
    pool_id: PoolId


class ListMembers(PageArguments):
    pool_id: PoolId
    sort_direction: Direction = "asc"


class PoolMembers(Arguments):
    pool_id: PoolId
    profile_ids: Annotated[list[ProfileId], Field(min_length=1, max_length=100)]
