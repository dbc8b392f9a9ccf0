"""A server as its card shows it to one person: its badge, what is wrong with it, what came of the last act."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcp_gateway.models import RemoteConnection, RemoteServer
from mcp_gateway.remote import health
from mcp_gateway.remote.badges import Badge, badge, own_connection, sign_in_badge, trouble
from mcp_gateway.remote.pages import help as guides
from mcp_gateway.remote.problems import Code
from mcp_gateway.remote.services.tools import changes_to_look_at

MEANINGS = {Badge.CONNECTED: "ok", Badge.CONNECTION_ERROR: "error", Badge.NOT_CONNECTED: "info"}


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be said about a server; `help` is the address of the guide that goes with it."""

    meaning: str
    message: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    server: RemoteServer
    connection: RemoteConnection | None
    badge: Badge
    note: Note | None
    changed: int = 0
    """Tools that changed or came later, and that no admin has looked at yet."""

    @property
    def meaning(self) -> str:
        return MEANINGS.get(self.badge, "")

    @property
    def region(self) -> str:
        """Where on the page it stands, as a selector."""
        return f"#server-{self.server.pk}"

    @property
    def offers_connect(self) -> bool:
        """A sign-in begins a connection, fixes a broken one, and widens one whose scope was too narrow."""
        if not self.server.needs_sign_in or not self.server.enabled:
            return False
        stands = sign_in_badge(self.server, self.connection) == Badge.CONNECTED
        return not stands or bool(self.connection and self.connection.wanted_scope)


def card(server: RemoteServer, notes: Mapping[int, Note] | None = None, *, changed: int = 0) -> Card:
    """Of a server that came from the services; what was just found out goes before what is known from earlier."""
    connection = own_connection(server)
    note = (notes or {}).get(server.pk) or known(server, connection)
    return Card(server, connection, badge(server, connection), note, changed)


def cards(servers: Sequence[RemoteServer], notes: Mapping[int, Note] | None = None) -> list[Card]:
    changed = changes_to_look_at(server.pk for server in servers)
    return [card(server, notes, changed=changed.get(server.pk, 0)) for server in servers]


def known(server: RemoteServer, connection: RemoteConnection | None) -> Note | None:
    """What is wrong as far as is known, while the server is there to be used."""
    if not server.enabled:
        return None
    if message := trouble(server, connection):
        return Note("error", message, guides.address(_code(server, connection)))
    if connection is not None and connection.wanted_scope:
        message = "A tool was refused because your connection does not reach that far. Connect again to allow it."
        return Note("warn", message, guides.address(Code.SCOPE_NEEDED))
    return None


def _code(server: RemoteServer, connection: RemoteConnection | None) -> str:
    """The code of what is wrong. A provider may call the end of a connection what it likes: then it is a plain end."""
    lately = health.recent(server)
    if server.fault_code or connection is None:
        return server.fault_code or (lately.code if lately else server.test_code)
    if lately and connection.status != RemoteConnection.Status.ERROR:
        return lately.code
    return connection.error_code if connection.error_code in guides.ERRORS else Code.CONNECTION_ERROR
