"""Public servers to begin with, added with one click. They are named in `catalogue.json`, which operators may edit."""

from functools import cache
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, TypeAdapter

from accounts.caller import Caller
from accounts.errors import NotFound
from accounts.scopes import Scope
from accounts.services.organizations import organization_of
from mcp_gateway.models import RemoteServer, Transport
from mcp_gateway.remote.services import servers
from mcp_gateway.remote.shapes import AuthTypeName, CreateServer, TransportName

FILE = Path(__file__).with_name("catalogue.json")


class Example(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: str
    name: str
    description: str
    url: str
    transport: TransportName
    auth_type: AuthTypeName

    @property
    def transport_words(self) -> str:
        return Transport(self.transport).label


@cache
def entries() -> tuple[Example, ...]:
    """All of the catalogue, in its order."""
    return tuple(TypeAdapter(list[Example]).validate_json(FILE.read_bytes()))


def examples(caller: Caller, *, organization_id: UUID) -> list[Example]:
    """Those that the organization does not have yet, by their address."""
    caller.require(Scope.READ)
    organization = organization_of(caller, organization_id)
    there = set(RemoteServer.objects.filter(organization=organization).values_list("url", flat=True))
    return [entry for entry in entries() if entry.url not in there]


def add_example(caller: Caller, *, organization_id: UUID, slug: str) -> RemoteServer:
    """Make it one of the organization's servers, to be changed like any other."""
    entry = next((entry for entry in entries() if entry.slug == slug), None)
    if entry is None:
        raise NotFound("The catalogue has no such server.")
    fields = entry.model_dump(exclude={"slug", "description"})
    return servers.create_server(caller, server=CreateServer(organization_id=organization_id, **fields))
