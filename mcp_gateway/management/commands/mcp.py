"""`manage.py mcp`: list remote servers, test one, show its tools, call one of them, refresh a connection."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError

from accounts.caller import Caller, Door
from accounts.errors import DomainError
from accounts.models import User
from accounts.scopes import Scope
from mcp_gateway.models import RemoteConnection, RemoteServer, RemoteTool
from mcp_gateway.remote import refresh
from mcp_gateway.remote.badges import badge, own_connection, trouble
from mcp_gateway.remote.problems import RemoteError
from mcp_gateway.remote.services import connections, servers, testing, tools, trying
from security.visible import visible

PAGE_SIZE = 100


class Command(BaseCommand):
    help = "Lists, tests and uses remote MCP servers in the name of somebody who belongs to their organization."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verb = verbs.add_parser("list", help="list the servers of the person's organizations")
        _person(verb)
        verb = verbs.add_parser("test", help="connect to a server once and say what came of it")
        _server(verb)
        verb = verbs.add_parser("tools", help="list the tools that a server was last seen with")
        _server(verb)
        verb = verbs.add_parser("call", help="call a tool and print what it answers, as JSON")
        _server(verb)
        verb.add_argument("tool", help="the tool's name, as the server spells it")
        verb.add_argument("arguments", nargs="?", default="{}", help="a JSON object; none if left out")
        verb.add_argument("--confirmed", action="store_true", help="allow a tool that asks before each use")
        verb = verbs.add_parser("refresh", help="refresh the person's connection to a server now")
        _server(verb)

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(email__iexact=options["person"]).first()
        if person is None:
            raise CommandError(f"Nobody here has the e-mail address {options['person']}.")
        caller = Caller(user_id=person.pk, scope=Scope.ADMIN, door=Door.COMMAND)
        try:
            getattr(self, f"_{options['verb']}")(caller, options)
        except (DomainError, RemoteError) as error:
            raise CommandError(visible(error.message)) from error

    def _list(self, caller: Caller, options: dict[str, Any]) -> None:
        for server in _servers(caller):
            connection = own_connection(server)
            parts = [
                f"{server.pk:>4}  {server.name}",
                server.organization.name,
                server.url,
                server.get_transport_display(),
                f"{server.tool_count} tools",
                badge(server, connection).value,
                trouble(server, connection),
            ]
            self._say("  ".join(parts).rstrip())

    def _test(self, caller: Caller, options: dict[str, Any]) -> None:
        report = async_to_sync(testing.test_server)(caller, server_id=options["server"])
        if not report.ok:
            raise CommandError(visible(f"{report.message} ({report.code})"))
        self._say(f"{report.message} in {report.seconds:.2f} s, by protocol {report.protocol_version}.")

    def _tools(self, caller: Caller, options: dict[str, Any]) -> None:
        for tool in _tools(caller, options["server"]):
            decided = [
                word
                for word, holds in (
                    ("off", not tool.enabled),
                    ("asks first", tool.ask_first),
                    ("held", bool(tool.held_digest)),
                    ("changed", tool.changed_at is not None),
                )
                if holds
            ]
            about = str(tool.definition.get("description", "")).strip().partition("\n")[0]
            self._say(f"{tool.name}  {about}" + (f"  [{', '.join(decided)}]" if decided else ""))

    def _call(self, caller: Caller, options: dict[str, Any]) -> None:
        try:
            arguments = json.loads(options["arguments"])
        except ValueError as fault:
            raise CommandError(f"The arguments are not JSON: {fault}.") from fault
        if not isinstance(arguments, dict):
            raise CommandError("The arguments are not a JSON object.")
        found = next((one for one in _tools(caller, options["server"]) if one.name == options["tool"]), None)
        if found is None:
            raise CommandError(f"The server has no tool {options['tool']}. `manage.py mcp tools` lists them.")
        answer = async_to_sync(trying.call_tool)(
            caller,
            server_id=options["server"],
            tool_id=found.pk,
            arguments=arguments,
            confirmed=options["confirmed"],
        )
        shown = {"content": [dict(block) for block in answer.content], "isError": answer.is_error}
        if answer.structured is not None:
            shown["structuredContent"] = answer.structured
        self.stdout.write(json.dumps(shown, indent=2))
        for note in answer.notes:
            self.stderr.write(visible(note))
        if answer.is_error:
            raise CommandError("The tool reported an error.")

    def _refresh(self, caller: Caller, options: dict[str, Any]) -> None:
        server = servers.find_server(caller, server_id=options["server"])
        connection = own_connection(server)
        if connection is None:
            raise CommandError(f"{options['person']} is not connected to {server.name}.")
        async_to_sync(refresh.renew)(connection.pk, connection.generation)
        refreshed = RemoteConnection.objects.defer(*connections.SECRETS).get(pk=connection.pk)
        until = f", good until {refreshed.expires_at:%Y-%m-%d %H:%M:%S} UTC" if refreshed.expires_at else ""
        self._say(f"The connection to {server.name} is refreshed{until}.")

    def _say(self, line: str) -> None:
        """A line, in which nothing that a stranger named moves the cursor or hides the rest."""
        self.stdout.write(visible(line))


def _person(parser: ArgumentParser) -> None:
    parser.add_argument("--as", dest="person", required=True, metavar="EMAIL", help="in whose name")


def _server(parser: ArgumentParser) -> None:
    _person(parser)
    parser.add_argument("server", type=int, help="the server's id, as `manage.py mcp list` shows it")


def _servers(caller: Caller) -> Iterator[RemoteServer]:
    number = 1
    while rows := servers.list_servers(caller, page=number, page_size=PAGE_SIZE).rows:
        yield from rows
        number += 1


def _tools(caller: Caller, server_id: int) -> Iterator[RemoteTool]:
    number = 1
    while rows := tools.list_tools(caller, server_id=server_id, page=number, page_size=PAGE_SIZE).rows:
        yield from rows
        number += 1
