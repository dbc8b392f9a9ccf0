"""Pools of profiles, and copies of profiles: what the REST API offers and MCP clients are not shown."""

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.services import pools, profiles
from agents_hub.shapes.pools import (
    CreatePool,
    ListMembers,
    ListPools,
    OnePool,
    PoolMembers,
    PoolPage,
    PoolShape,
    UpdatePool,
)
from agents_hub.shapes.profiles import DuplicateProfile, ProfilePage, ProfileShape
from mcp_gateway.registry import registry
from mcp_gateway.rest.routes import REST_ONLY
from mcp_gateway.shapes import Nothing


@registry.tool("agentProfileDuplicate", server=REST_ONLY, scope=Scope.WRITE, title="Copy a browser profile")
def duplicate_profile(caller: Caller, arguments: DuplicateProfile) -> ProfileShape:
    """Copy a browser profile with its credentials and cookies, into its own organization or another of yours.

    The inbox address and the persisted browser state stay with the original.
    """
    copy = profiles.duplicate_profile(
        caller, profile_id=arguments.profile_id, organization_id=arguments.organization_id
    )
    return ProfileShape.of(copy)


@registry.tool("agentProfilePoolsList", server=REST_ONLY, scope=Scope.READ, title="List pools", read_only=True)
def list_pools(caller: Caller, arguments: ListPools) -> PoolPage:
    """List the pools of browser profiles of one organization, or of all that you belong to, a page at a time."""
    page = pools.list_pools(caller, **dict(arguments))
    return PoolPage(
        items=[PoolShape.of(row) for row in page.rows], page=page.number, page_size=page.size, total=page.total
    )


@registry.tool("agentProfilePoolsCreate", server=REST_ONLY, scope=Scope.WRITE, title="Create a pool")
def create_pool(caller: Caller, arguments: CreatePool) -> PoolShape:
    """Create an empty pool of browser profiles in an organization.

    An execution that names the pool is given one of its profiles by the selection strategy.
    """
    return PoolShape.of(pools.create_pool(caller, **dict(arguments)))


@registry.tool("agentProfilePoolGet", server=REST_ONLY, scope=Scope.READ, title="Get a pool", read_only=True)
def get_pool(caller: Caller, arguments: OnePool) -> PoolShape:
    """Fetch one pool by its id."""
    return PoolShape.of(pools.get_pool(caller, pool_id=arguments.pool_id))


@registry.tool("agentProfilePoolUpdate", server=REST_ONLY, scope=Scope.WRITE, title="Update a pool")
def update_pool(caller: Caller, arguments: UpdatePool) -> PoolShape:
    """Change a pool's name or how it selects; fields left out stay as they are."""
    change = {name: value for name, value in arguments if name != "pool_id" and value is not None}
    return PoolShape.of(pools.update_pool(caller, pool_id=arguments.pool_id, **change))


@registry.tool("agentProfilePoolDelete", server=REST_ONLY, scope=Scope.WRITE, title="Delete a pool", destructive=True)
def delete_pool(caller: Caller, arguments: OnePool) -> Nothing:
    """Delete a pool; its profiles stay."""
    pools.delete_pool(caller, pool_id=arguments.pool_id)
    return Nothing()


@registry.tool(
    "agentProfilePoolMembersList", server=REST_ONLY, scope=Scope.READ, title="List a pool's profiles", read_only=True
)
def list_members(caller: Caller, arguments: ListMembers) -> ProfilePage:
    """List the browser profiles in a pool, by when they joined, a page at a time."""
    page = pools.page_of_members(caller, **dict(arguments))
    return ProfilePage(
        items=[ProfileShape.of(row) for row in page.rows], page=page.number, page_size=page.size, total=page.total
    )


@registry.tool("agentProfilePoolMembersAdd", server=REST_ONLY, scope=Scope.WRITE, title="Add profiles to a pool")
def add_members(caller: Caller, arguments: PoolMembers) -> PoolShape:
    """Add browser profiles of the pool's own organization; one that is in it already stays as it is."""
    return PoolShape.of(pools.add_members(caller, pool_id=arguments.pool_id, profile_ids=arguments.profile_ids))


@registry.tool(
    "agentProfilePoolMembersRemove", server=REST_ONLY, scope=Scope.WRITE, title="Take profiles out of a pool"
)
def remove_members(caller: Caller, arguments: PoolMembers) -> PoolShape:
    """Take browser profiles out of a pool; one that is not in it is no fault."""
    return PoolShape.of(pools.remove_members(caller, pool_id=arguments.pool_id, profile_ids=arguments.profile_ids))
