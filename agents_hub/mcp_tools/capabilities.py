"""listAvailableTools: the capabilities that can be assigned to AI Task nodes."""

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.capabilities import capabilities
from agents_hub.shapes.wire import SERVER
from mcp_gateway.registry import registry
from mcp_gateway.shapes import Arguments, Result


class ListAvailableTools(Arguments):
    pass


class AvailableTool(Result):
    name: str
    description: str
    capability: str
    is_required: bool


class AvailableTools(Result):
    tools: list[AvailableTool]


@registry.tool(
    "listAvailableTools", server=SERVER, scope=Scope.READ, title="List capabilities of AI Task nodes", read_only=True
)
def list_available_tools(caller: Caller, arguments: ListAvailableTools) -> AvailableTools:
    """List the capabilities that can be assigned to AI Task nodes in workflows on this installation.

    Only what can be carried out here and now is listed; an empty list means that nothing here runs such nodes.
    """
    caller.require(Scope.READ)
    return AvailableTools(
        tools=[
            AvailableTool(
                name=one.name, description=one.description, capability=one.family, is_required=one.is_required
            )
            for one in capabilities
        ]
    )
