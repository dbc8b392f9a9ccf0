"""`manage.py workflow`: export a version to a file, import one from it, compare two, and say what is wrong with one."""

import json
from argparse import ArgumentParser
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from pydantic import ValidationError

from accounts.caller import Caller
from accounts.management.people import PersonsCommand, take_person
from workflows.graph.diff import Difference, Field
from workflows.graph.shapes import EnvironmentTemplate, Graph, Part, Settings
from workflows.services import versions
from workflows.shapes.differences import DifferenceShape
from workflows.shapes.versions import WorkflowShape

MOST_FAULTS = 20
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


class Exported(Part):
    """What of a version goes from one installation to another: its content, and nothing about who made it."""

    rules: str = ""
    settings: Settings
    graph: Graph
    environmentTemplate: EnvironmentTemplate | None = None  # noqa: N815 - as it is on the wire


class Command(PersonsCommand):
    help = "Exports, imports and compares versions, and says what keeps one from running."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verb = verbs.add_parser("export", help="print a version as JSON, or write it to a file")
        verb.add_argument("workflow", type=UUID)
        verb.add_argument("--to", type=Path, metavar="FILE")
        take_person(verb)
        verb = verbs.add_parser("import", help="make a draft of an agent from an exported version, and print its id")
        verb.add_argument("agent", type=UUID)
        verb.add_argument("file", type=Path)
        verb.add_argument("--parent", type=UUID, metavar="WORKFLOW", help="the version it was made from")
        take_person(verb)
        verb = verbs.add_parser("diff", help="say what was done to one version to make another")
        verb.add_argument("workflow", type=UUID)
        verb.add_argument("--before", type=UUID, metavar="WORKFLOW", help="else the one that it was made from")
        verb.add_argument("--json", action="store_true", help="as the REST API gives it")
        take_person(verb)
        verb = verbs.add_parser(
            "validate", help="say all that is wrong with an exported version; ends with 1 if any is"
        )
        verb.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        # Judging a file is done in nobody's name.
        if options["verb"] == "validate":
            self._validate(options["file"])
        else:
            super().handle(*args, **options)

    def _export(self, caller: Caller, options: dict[str, Any]) -> None:
        shape = WorkflowShape.of(versions.find_version(caller, workflow_id=options["workflow"]))
        whole = shape.model_dump(mode="json", by_alias=True, exclude_none=True)
        text = json.dumps({name: whole[name] for name in Exported.model_fields if name in whole}, indent=2)
        if options["to"] is None:
            self.stdout.write(text)
            return
        try:
            options["to"].write_text(text + "\n", "utf-8")
        except OSError as fault:
            raise CommandError(f"{options['to']} cannot be written: {fault.strerror}.") from None

    def _import(self, caller: Caller, options: dict[str, Any]) -> None:
        read = _read(options["file"])
        made = versions.create_version(
            caller,
            agent_id=options["agent"],
            graph=read.graph,
            settings=read.settings,
            rules=read.rules,
            environment_template=read.environmentTemplate,
            parent_id=options["parent"],
        )
        self.say(str(made.pk))

    def _diff(self, caller: Caller, options: dict[str, Any]) -> None:
        before, after = versions.ends_of(caller, after_id=options["workflow"], before_id=options["before"])
        found = versions.compare(caller, agent_id=after.agent_id, before_id=before.pk, after_id=after.pk)
        if options["json"]:
            shape = DifferenceShape.of(before, after, found)
            self.stdout.write(json.dumps(shape.model_dump(mode="json", by_alias=True), indent=2))
            return
        self.say(f"From {before} to {after}.")
        for line in _lines_of(found):
            self.say(line)
        if found.is_empty:
            self.say("They contain the same.")

    def _validate(self, file: Path) -> None:
        graph = _read(file).graph
        faults = versions.faults_of(graph)
        for fault in faults:
            self.say(f"{fault.node_id or fault.transition_id or 'graph'}: {fault.message}")
        if faults:
            raise CommandError(f"{len(faults)} faults. It can be kept as a draft but not published.")
        for caution in versions.cautions_of(graph):
            self.say(caution)
        self.say("It can be published and run here.")


def _lines_of(found: Difference) -> Iterator[str]:
    """A sign, the part and its name a line, below it what is different in it."""
    kinds = {"node": found.nodes, "transition": found.transitions, "note": found.sticky_notes}
    for kind, changes in kinds.items():
        for change in changes:
            yield f"{SIGNS[change.kind]} {kind} {change.id}: {change.name}"
            yield from (f"    {_field(one)}" for one in change.fields)
    yield from (f"~ setting {_field(one)}" for one in found.settings)
    yield from (f"  rules {line}" for line in found.rules)


def _field(field: Field) -> str:
    before, after = (json.dumps(value, ensure_ascii=False) for value in (field.before, field.after))
    return f"{field.path}: {before} → {after}"


def _read(file: Path) -> Exported:
    try:
        return Exported.model_validate_json(file.read_bytes().removeprefix(BOM_UTF8))
    except OSError as fault:
        raise CommandError(f"{file} cannot be read: {fault.strerror}.") from None
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in error.errors()]
        raise CommandError(f"{file} is not an exported version. {'; '.join(wrong[:MOST_FAULTS])}.") from None
