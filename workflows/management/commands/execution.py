"""`manage.py execution`: run an agent, list executions, show one, follow one, cancel one."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.db import connection

from accounts.caller import Caller
from accounts.management.people import PersonsCommand, take_person
from workflows.engine.states import Status
from workflows.engine.store import CHANNEL
from workflows.models import Activity, Execution
from workflows.services import executions, listing, wishes
from workflows.shapes.executions import ExecutionShape

AT_ONCE = 500
# A notice may be lost; then this is how long what is new waits to be seen.
LOOK_SECONDS = 1.0


class Command(PersonsCommand):
    help = "Runs agents and follows their executions in the name of somebody who belongs to their organization."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verb = verbs.add_parser("run", help="start an execution of an agent and print its id")
        verb.add_argument("agent", type=UUID)
        verb.add_argument("--input", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")
        verb.add_argument("--version", dest="number", type=int, metavar="N", help="a published one; else the default")
        verb.add_argument("--storage-key", default="", metavar="KEY", help="shared files of runs with the same key")
        take_person(verb)
        verb = verbs.add_parser("list", help="list executions, the newest first")
        verb.add_argument("--agent", type=UUID)
        verb.add_argument("--status", action="append", default=[], choices=[status.value for status in Status])
        verb.add_argument("--page", type=int, default=1)
        take_person(verb)
        for name, about in (
            ("show", "print an execution as JSON"),
            ("tail", "print what happens in an execution until it ends"),
            ("cancel", "cancel an execution"),
        ):
            verb = verbs.add_parser(name, help=about)
            verb.add_argument("execution", type=UUID)
            take_person(verb)

    def _run(self, caller: Caller, options: dict[str, Any]) -> None:
        inputs = dict(_pair(text) for text in options["input"])
        key = options["storage_key"]
        execution = executions.execute_agent(
            caller,
            agent_id=options["agent"],
            version=options["number"],
            inputs=inputs,
            options={"sharedStorageKey": key} if key else {},
        )
        self.say(str(execution.pk))

    def _list(self, caller: Caller, options: dict[str, Any]) -> None:
        filters = listing.Filters(agent_id=options["agent"], status=options["status"])
        page = listing.list_executions(caller, filters, page=options["page"], page_size=100)
        for one in page.rows:
            self.say(
                f"{one.pk}  {one.created_at:%Y-%m-%d %H:%M}  {one.status:<22} {one.agent.name}  {one.outcome}".rstrip()
            )
        self.say(f"Page {page.number}; {page.total} in all.")

    def _show(self, caller: Caller, options: dict[str, Any]) -> None:
        shape = ExecutionShape.of(executions.find_execution(caller, options["execution"]))
        text = json.dumps(shape.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False)
        for line in text.splitlines():
            self.say(line)

    def _tail(self, caller: Caller, options: dict[str, Any]) -> None:
        execution = executions.find_execution(caller, options["execution"])
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        try:
            last = 0
            while True:
                ended = Execution.objects.values_list("terminal_at", flat=True).get(pk=execution.pk) is not None
                while found := listing.list_activities(caller, execution=execution, limit=AT_ONCE, after=last):
                    for activity in found:
                        self.say(_line(activity))
                    last = found[-1].number
                if ended:
                    return
                self._await_notice(execution.pk)
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"UNLISTEN {CHANNEL}")

    def _await_notice(self, execution_id: UUID) -> None:
        wire = connection.connection
        for notice in wire.notifies(timeout=LOOK_SECONDS):
            if notice.payload == str(execution_id):
                return

    def _cancel(self, caller: Caller, options: dict[str, Any]) -> None:
        self.say(wishes.ask_status(caller, execution_id=options["execution"], status=Status.CANCELLED))


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise CommandError(f"“{text}” is not an input; write it like name=value.")
    return name, value


def _line(activity: Activity) -> str:
    payload = {name: value for name, value in activity.payload.items() if value not in (None, "")}
    told = payload.pop("message", "") or payload.pop("status", "")
    rest = json.dumps(payload, ensure_ascii=False) if payload else ""
    return f"{activity.at:%H:%M:%S}  {activity.type:<22} {told} {rest}".rstrip()
