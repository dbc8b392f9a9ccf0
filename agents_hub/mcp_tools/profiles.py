"""agentProfile*: browser profiles by tool."""

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.services import profiles
from agents_hub.shapes.profiles import (
    CreateProfile,
    ListProfiles,
    OneProfile,
    ProfilePage,
    ProfileShape,
    UpdateProfile,
)
from agents_hub.shapes.wire import SERVER
from mcp_gateway.registry import registry
from mcp_gateway.shapes import Nothing, Result


class Message(Result):
    message: str


@registry.tool("agentProfilesList", server=SERVER, scope=Scope.READ, title="List browser profiles", read_only=True)
def list_profiles(caller: Caller, arguments: ListProfiles) -> ProfilePage:
    """List browser profiles (proxy, captcha, credentials, persistence) of one organization, or of all of yours.

    Credentials are listed by name; their values are never shown.
    """
    page = profiles.list_profiles(caller, **dict(arguments))
    return ProfilePage(
        items=[ProfileShape.of(row) for row in page.rows], page=page.number, page_size=page.size, total=page.total
    )


@registry.tool("agentProfilesCreate", server=SERVER, scope=Scope.WRITE, title="Create a browser profile")
def create_profile(caller: Caller, arguments: CreateProfile) -> ProfileShape:
    """Create a browser profile in an organization.

    proxyMode decides what else is needed: managed needs proxyType, custom needs customProxy with its password,
    tailscale needs tailscaleAuthKey, gateway needs proxyGatewayPresetId. Secrets are stored and never shown again.
    """
    return ProfileShape.of(profiles.create_profile(caller, profile=arguments))


@registry.tool("agentProfileGet", server=SERVER, scope=Scope.READ, title="Get a browser profile", read_only=True)
def get_profile(caller: Caller, arguments: OneProfile) -> ProfileShape:
    """Fetch one browser profile by its id, with its cookies and the names of its credentials."""
    return ProfileShape.of(profiles.get_profile(caller, profile_id=arguments.profile_id))


@registry.tool(
    "agentProfileUpdate", server=SERVER, scope=Scope.WRITE, title="Update a browser profile", destructive=True
)
def update_profile(caller: Caller, arguments: UpdateProfile) -> ProfileShape:
    """Change a browser profile: fields left out stay as they are, and nothing changes where any part is refused.

    Credentials and cookies are added, updated (credentials, by name) and deleted (by id) through their own lists.
    """
    return ProfileShape.of(profiles.update_profile(caller, change=arguments))


@registry.tool(
    "agentProfileDelete", server=SERVER, scope=Scope.WRITE, title="Delete a browser profile", destructive=True
)
def delete_profile(caller: Caller, arguments: OneProfile) -> Nothing:
    """Delete a browser profile with its credentials and cookies. This cannot be undone."""
    profiles.delete_profile(caller, profile_id=arguments.profile_id)
    return Nothing()


@registry.tool(
    "agentProfileClearBrowserCache",
    server=SERVER,
    scope=Scope.WRITE,
    title="Clear a profile's browser state",
    destructive=True,
    idempotent=True,
)
def clear_browser_cache(caller: Caller, arguments: OneProfile) -> Message:
    """Clear the persisted browser state (cookies, local storage, cache) that executions left in the profile."""
    profile = profiles.clear_browser_cache(caller, profile_id=arguments.profile_id)
    return Message(message=f"The persisted browser state of “{profile.name}” is cleared.")
