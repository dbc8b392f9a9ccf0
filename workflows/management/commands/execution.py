"""`manage.py execution`: run an agent, list executions, show one, follow one, cancel, label or comment on one."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.core.management.base import CommandError
from django.db import connection

from accounts.caller import Caller
from accounts.management.people import PersonsCommand, take_person
from agents_hub.services.agents import find_agent
from agents_hub.services.staged_files import stage_files
from workflows.engine.states import Status
from workflows.engine.store import CHANNEL
from workflows.models import Activity, Execution
from workflows.services import executions, listing, marks, wishes
from workflows.shapes.executions import ExecutionShape

AT_ONCE = 500
# A notice may be lost; then this is how long what is new waits to be seen.
LOOK_SECONDS = 1.0
# What a shell's programs end with that were ended by Ctrl-C.
INTERRUPTED = 130


class Command(PersonsCommand):
    help = "Runs agents and follows their executions in the name of somebody who belongs to their organization."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verb = verbs.add_parser("run", help="start an execution of an agent and print its id")
        verb.add_argument("agent", type=UUID)
        verb.add_argument("--input", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")
        verb.add_argument("--version", dest="number", type=int, metavar="N", help="a published one; else the default")
        verb.add_argument("--storage-key", default="", metavar="KEY", help="shared files of runs with the same key")
        verb.add_argument("--soft-timeout", type=int, metavar="MINUTES", help="until it is told to come to an end")
        verb.add_argument("--metadata", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")
        verb.add_argument("--profile", type=UUID, metavar="ID", help="the browser profile")
        verb.add_argument("--pool", type=UUID, metavar="ID", help="the pool that gives the profile")
        verb.add_argument("--file", action="append", default=[], type=Path, help="may be repeated")
        take_person(verb)
        self._add_list(verbs.add_parser("list", help="list executions, the newest first"))
        verb = verbs.add_parser("label", help="have an execution bear these labels, and no others")
        verb.add_argument("execution", type=UUID)
        verb.add_argument("label", nargs="*", help="names of labels of its organization")
        take_person(verb)
        verb = verbs.add_parser("comment", help="write a comment on an execution and print its id")
        verb.add_argument("execution", type=UUID)
        verb.add_argument("text")
        verb.add_argument("--public", action="store_true", help="people outside of the organization may be shown it")
        take_person(verb)
        for name, about in (
            ("show", "print an execution as JSON"),
            ("tail", "print what happens in an execution until it ends"),
            ("cancel", "cancel an execution"),
        ):
            verb = verbs.add_parser(name, help=about)
            verb.add_argument("execution", type=UUID)
            take_person(verb)

    def _add_list(self, verb: ArgumentParser) -> None:
        verb.add_argument("--organization", type=UUID, help="only this one's; else those of all that the person is in")
        verb.add_argument("--id", default="", metavar="PART", help="a part of the id")
        verb.add_argument("--agent", type=UUID)
        statuses = [status.value for status in Status]
        verb.add_argument(
            "--status", action="append", default=[], choices=statuses, help="may be repeated: any of them"
        )
        verb.add_argument("--label", action="append", default=[], metavar="NAME", help="may be repeated: any of them")
        verb.add_argument("--after", type=_moment, metavar="TIME", help="started then or later: 2026-05-01T09:00")
        verb.add_argument("--before", type=_moment, metavar="TIME")
        verb.add_argument("--outcome", default="", metavar="PART", help="a part of the outcome, in any case")
        verb.add_argument("--metadata", default="", metavar="NAME=VALUE")
        verb.add_argument("--input", default="", metavar="NAME=PART", help="a part of the input, in any case")
        verb.add_argument("--version", dest="number", type=int, metavar="N")
        verb.add_argument("--page", type=int, default=1)
        take_person(verb)

    def _run(self, caller: Caller, options: dict[str, Any]) -> None:
        chosen = {"sharedStorageKey": options["storage_key"], "softTimeoutMins": options["soft_timeout"]}
        execution = executions.execute_agent(
            caller,
            agent_id=options["agent"],
            version=options["number"],
            inputs=dict(_pair(text) for text in options["input"]),
            metadata=dict(_pair(text) for text in options["metadata"]),
            profile_id=options["profile"],
            pool_id=options["pool"],
            temp_files=_staged(caller, options["agent"], options["file"]),
            options={name: value for name, value in chosen.items() if value},
        )
        self.say(str(execution.pk))

    def _list(self, caller: Caller, options: dict[str, Any]) -> None:
        metadata, wanted = options["metadata"], options["input"]
        metadata_key, metadata_value = _pair(metadata) if metadata else ("", "")
        inputs_key, inputs_value = _pair(wanted) if wanted else ("", "")
        filters = listing.Filters(
            organization_id=options["organization"],
            execution_id=options["id"],
            agent_id=options["agent"],
            status=options["status"],
            created_after=options["after"],
            created_before=options["before"],
            human_labels=[label.pk for label in marks.labels_named(caller, options["label"])],
            outcome_label=options["outcome"],
            metadata_key=metadata_key,
            metadata_value=metadata_value,
            inputs_key=inputs_key,
            inputs_value=inputs_value,
            workflow_version=options["number"],
        )
        page = listing.list_executions(caller, filters, page=max(1, options["page"]), page_size=100)
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
                while found := listing.list_activities(caller, execution_id=execution.pk, limit=AT_ONCE, after=last):
                    for activity in found:
                        self.say(_line(activity))
                    last = found[-1].number
                if ended:
                    return
                self._await_notice(execution.pk)
        except KeyboardInterrupt:  # how people stop looking at a run that goes on
            raise SystemExit(INTERRUPTED) from None
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"UNLISTEN {CHANNEL}")

    def _await_notice(self, execution_id: UUID) -> None:
        wire = connection.connection
        for notice in wire.notifies(timeout=LOOK_SECONDS):
            if notice.payload == str(execution_id):
                return

    def _label(self, caller: Caller, options: dict[str, Any]) -> None:
        execution = executions.find_execution(caller, options["execution"])
        labels = marks.labels_named(caller, options["label"], organization_id=execution.organization.uid)
        given = marks.set_labels(caller, execution_id=execution.pk, label_ids=[label.pk for label in labels])
        self.say(", ".join(label.name for label in given) or "It has no labels.")

    def _comment(self, caller: Caller, options: dict[str, Any]) -> None:
        comment = marks.add_comment(
            caller, execution_id=options["execution"], content=options["text"], public=options["public"]
        )
        self.say(str(comment.pk))

    def _cancel(self, caller: Caller, options: dict[str, Any]) -> None:
        self.say(wishes.ask_status(caller, execution_id=options["execution"], status=Status.CANCELLED))


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise CommandError(f"“{text}” is not written like name=value.")
    return name, value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _staged(caller: Caller, agent_id: UUID, paths: Sequence[Path]) -> list[tuple[UUID, str]]:
    """The files at these paths, kept for an execution of the agent."""
    if not paths:
        return []
    organization_id = find_agent(caller, agent_id).organization.uid
    with ExitStack() as opened:
        try:
            files = [File(opened.enter_context(path.open("rb")), name=path.name) for path in paths]
        except OSError as fault:
            raise CommandError(f"{fault.filename} cannot be read: {fault.strerror}.") from None
        return [(file.pk, file.name) for file in stage_files(caller, organization_id=organization_id, files=files)]


def _line(activity: Activity) -> str:
    payload = {name: value for name, value in activity.payload.items() if value not in (None, "")}
    told = payload.pop("message", "") or payload.pop("status", "")
    rest = json.dumps(payload, ensure_ascii=False) if payload else ""
    return f"{activity.at:%H:%M:%S}  {activity.type:<22} {told} {rest}".rstrip()
