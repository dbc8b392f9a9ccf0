"""A remote server as the client sees it: plain data, read from the rows once, with which no database is needed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mcp_gateway.models import Transport


@dataclass(frozen=True, slots=True)
class Credential:
    """What opens a server for one caller: headers to send, and how to tell this credential from another.

    `key` names the credential in caches: the organization's (`server:12`) or a person's (`connection:7`), with the
    revision or generation behind it. It holds no secret.
    """

    key: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    connection_id: int | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and with what. `server_id` is None for a configuration that is not saved yet.

    `failing` says that something was wrong when it was last used or tested.
    """

    server_id: int | None
    name: str
    slug: str
    url: str
    transport: Transport
    credential: Credential
    revision: int = 0
    failing: bool = False
