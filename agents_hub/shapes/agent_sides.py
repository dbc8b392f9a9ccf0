"""An agent's chat side on the wire: what it is to those who talk to it, who they are, and what it works with."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from accounts.models import Membership
from agents_hub.models.agents import DEFAULT_TOOL_ROUNDS, MOST_TOOL_ROUNDS
from agents_hub.services.abilities import Given
from agents_hub.services.agent_rules import CHAT_FIELDS, LONGEST_INSTRUCTIONS, MOST_STARTERS
from agents_hub.services.agent_sides import NAMES, Changes, Side
from agents_hub.services.audiences import MOST_PEOPLE
from agents_hub.shapes.wire import AgentId, Id, PersonId, StageName
from mcp_gateway.remote.shapes import ServerId
from mcp_gateway.shapes import (
    Arguments,
    Moment,
    OrganizationId,
    PageArguments,
    PageOf,
    Result,
    Secret,
)

AudienceName = Literal["everybody", "admins", "chosen"]
WHOLE = "All of them: what is left out is taken away."
# The agent's own fields, which this wire names as its row does.
FIELDS = (*NAMES, *CHAT_FIELDS)


class OffTool(Arguments):
    origin: Annotated[str, Field(max_length=40, description="server:<id> of a remote server, or a source's name.")]
    tool: Annotated[str, Field(max_length=500, description="The tool's name there.")]


class SideFields(Arguments):
    """What making and changing an agent share; a field left out keeps its value, or takes its default."""

    description: Annotated[str, Field(max_length=1000)] | None = None
    instructions: Annotated[Secret, Field(max_length=LONGEST_INSTRUCTIONS)] | None = Field(
        None, description="Who it is and how it answers. Those who talk to it do not see them."
    )
    model: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="provider:model, or provider. Empty takes the organization's default."
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(None, description="null leaves it to the provider.")
    conversation_starters: Annotated[list[str], Field(max_length=MOST_STARTERS)] | None = Field(
        None, description="Questions offered in an empty chat."
    )
    max_tool_rounds: Annotated[int, Field(ge=1, le=MOST_TOOL_ROUNDS)] | None = Field(
        None, description=f"How often one answer may call tools and go on; {DEFAULT_TOOL_ROUNDS} if not said."
    )
    stage: StageName | None = Field(None, description="development: its maker and admins talk to it.")
    audience: AudienceName | None = Field(None, description="Who talks to it once it is released.")
    people: Annotated[list[PersonId], Field(max_length=MOST_PEOPLE)] | None = Field(
        None, description=f"Those chosen, for the audience chosen. {WHOLE}"
    )
    servers: Annotated[list[ServerId], Field(max_length=1000)] | None = Field(
        None, description=f"The remote servers it works with. {WHOLE}"
    )
    given: Annotated[dict[str, list[str]], Field(max_length=20)] | None = Field(
        None, description=f"Ids of what it works with besides, by source, such as bots and workflows. {WHOLE}"
    )
    off: Annotated[list[OffTool], Field(max_length=2000)] | None = Field(
        None, description=f"Tools that it is not offered though it was given what they come with. {WHOLE}"
    )

    def changes(self) -> Changes:
        sent = {name: getattr(self, name) for name in FIELDS if name in self.model_fields_set}
        return Changes(
            # Of these, nothing but a temperature can be none.
            fields={name: value for name, value in sent.items() if value is not None or name == "temperature"},
            stage=self.stage,
            audience=self.audience,
            people=self.people,
            servers=self.servers,
            given=self.given,
            off=None if self.off is None else [(one.origin, one.tool) for one in self.off],
        )


class MakeAgent(SideFields):
    organization_id: OrganizationId
    name: Annotated[str, Field(min_length=1, max_length=255)]


class ChangeAgent(SideFields):
    agent_id: AgentId
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None


class OneAgent(Arguments):
    agent_id: AgentId


class OffToolShape(Result):
    origin: str
    tool: str


class AgentSideShape(Result):
    id: Id
    organization_id: Id
    name: str
    description: str
    instructions: str
    model: str
    temperature: float | None
    conversation_starters: list[str]
    max_tool_rounds: int
    stage: StageName
    audience: AudienceName
    people: list[Id]
    servers: list[int]
    given: Mapping[str, list[str]]
    off: list[OffToolShape]
    may_change: bool = Field(description="Whether you may change it: once it is released, those in charge of it may.")
    is_in_charge: bool = Field(description="Whether you may say who talks to it: its maker and admins may.")
    created_by: UUID | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, side: Side) -> "AgentSideShape":
        agent = side.agent
        own: dict[str, Any] = {name: getattr(agent, name) for name in (*FIELDS, "stage", "audience")}
        return cls(
            **own,
            id=agent.pk,
            organization_id=agent.organization.uid,
            people=side.people,
            servers=side.servers,
            given=side.given,
            off=[OffToolShape(origin=origin, tool=tool) for origin, tool in side.off],
            may_change=side.may_change,
            is_in_charge=side.is_in_charge,
            created_by=agent.created_by.uid if agent.created_by else None,
            created_at=agent.created_at,
            updated_at=agent.updated_at,
        )


class ListPeople(PageArguments):
    agent_id: AgentId


class PersonShape(Result):
    id: Id
    name: str
    email: str
    is_chosen: bool

    @classmethod
    def of(cls, member: Membership, chosen: set[int]) -> "PersonShape":
        """From a row with its person at hand."""
        person = member.user
        return cls(id=person.uid, name=person.name, email=person.email, is_chosen=person.pk in chosen)


class PersonPage(PageOf[PersonShape]):
    pass


class ChoiceShape(Result):
    id: str
    name: str
    description: str


class KnownToolShape(Result):
    tool: str
    title: str
    description: str
    asks_first: bool
    is_off: bool


class AbilityShape(Result):
    """What an agent can be given of one source."""

    source: str
    label: str
    choices: list[ChoiceShape] = Field(description="What you can give it.")
    given: list[str]
    tools: list[KnownToolShape] = Field(description="What that brings it.")

    @classmethod
    def of(cls, given: Given) -> "AbilityShape":
        return cls(
            source=given.source.name,
            label=given.source.label,
            choices=[ChoiceShape(id=one.id, name=one.name, description=one.description) for one in given.choices],
            given=sorted(given.assigned),
            tools=[
                KnownToolShape(
                    tool=tool.tool,
                    title=tool.title,
                    description=tool.description,
                    asks_first=tool.ask_first,
                    is_off=tool.tool in given.off,
                )
                for tool in given.tools
            ],
        )


class AbilitiesShape(Result):
    abilities: list[AbilityShape]
