"""An agent on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from agents_hub.models import Agent
from agents_hub.shapes.wire import Id
from mcp_gateway.shapes import Moment, OrganizationId, PageArguments, PageOf, Result


class AgentShape(Result):
    id: Id
    name: str
    created_at: Moment
    organization_id: Id | None
    user_id: Id | None

    @classmethod
    def of(cls, agent: Agent) -> "AgentShape":
        """From a row with its organization and creator at hand."""
        return cls(
            id=agent.pk,
            name=agent.name,
            created_at=agent.created_at,
            organization_id=agent.organization.uid,
            user_id=agent.created_by.uid if agent.created_by else None,
        )


class ListAgents(PageArguments):
    organization_id: OrganizationId | None = Field(None, description="Only this organization's; else all of yours.")
    search_name: Annotated[str, Field(max_length=255, description="Part of the name, in any case.")] | None = None
    sort_field: Literal["name", "created_at"] = "created_at"


class AgentPage(PageOf[AgentShape]):
    pass
