"""`manage.py schedule`: list schedules of every kind, run one now, switch one on or off."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from accounts.caller import Caller
from accounts.errors import NotFound
from accounts.management.people import PersonsCommand, take_person
from accounts.services.organizations import organizations_of
from scheduling.registry import Kind, kinds
from scheduling.services.listing import list_schedules

PAGE_SIZE = 100


class Command(PersonsCommand):
    help = "Lists schedules, runs them and switches them, in the name of somebody who belongs to its organization."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verb = verbs.add_parser("list", help="list schedules, those that are due next first")
        verb.add_argument("--organization", type=UUID, help="only this one's; else those of all that the person is in")
        verb.add_argument("--page", type=int, default=1)
        take_person(verb)
        for name, about in (
            ("run", "run one once more, in the name of the person"),
            ("enable", "enable one"),
            ("disable", "disable one"),
        ):
            verb = verbs.add_parser(name, help=about)
            verb.add_argument("schedule", type=UUID)
            take_person(verb)

    def _list(self, caller: Caller, options: dict[str, Any]) -> None:
        for number in organizations_of(caller, options["organization"]):
            page = list_schedules(
                caller,
                organization_id=number,
                field="next_due_at",
                direction="asc",
                number=max(1, options["page"]),
                size=PAGE_SIZE,
            )
            for one in page.rows:
                due = f"{one.next_due_at:%Y-%m-%d %H:%M}" if one.next_due_at else "disabled"
                self.say(
                    f"{one.id}  {due:<16}  {one.cron_expression} {one.time_zone}  "
                    f"{one.kind.label}: {one.name} ({one.subject})  {one.problem}".rstrip()
                )
            if page.last > 1:
                self.say(f"Page {page.number} of {page.last}.")

    def _run(self, caller: Caller, options: dict[str, Any]) -> None:
        self.say(str(self._kind(caller, options).verbs.run_now(caller, options["schedule"])))

    def _enable(self, caller: Caller, options: dict[str, Any]) -> None:
        schedule = self._kind(caller, options).verbs.switch(caller, options["schedule"], on=True)
        self.say(f"Enabled. It is due next at {schedule.next_due_at:%Y-%m-%d %H:%M} UTC.")

    def _disable(self, caller: Caller, options: dict[str, Any]) -> None:
        self._kind(caller, options).verbs.switch(caller, options["schedule"], on=False)
        self.say("Disabled.")

    def _kind(self, caller: Caller, options: dict[str, Any]) -> Kind:
        """The kind of schedule that has this id: ids of different kinds never meet."""
        for kind in kinds.all():
            try:
                kind.verbs.find(caller, options["schedule"])
            except NotFound:
                continue
            return kind
        raise NotFound("There is no such schedule in your organizations. `schedule list` lists them.")
