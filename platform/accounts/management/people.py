"""In whose name a command acts, and how it ends where a service refuses."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.caller import Caller, Door
from accounts.errors import DomainError
from accounts.models import User
from accounts.scopes import Scope
from security.visible import visible


class PersonsCommand(BaseCommand):
    """A command of verbs, each a method `_verb(caller, options)`, that does what pages and tools do."""

    def handle(self, *args: Any, **options: Any) -> None:
        caller = caller_of(options["person"])
        try:
            getattr(self, f"_{options['verb']}")(caller, options)
        except DomainError as error:
            raise CommandError(visible(error.message)) from error

    def say(self, line: str) -> None:
        """Print what others may have written, without what a terminal would obey."""
        self.stdout.write(visible(line))


def caller_of(email: str) -> Caller:
    """The person with that address, at the door of commands: whoever has a shell here may act for anybody."""
    person = User.objects.filter(email__iexact=email).first()
    if person is None:
        raise CommandError(f"Nobody here has the e-mail address {email}.")
    return Caller(user_id=person.pk, scope=Scope.ADMIN, door=Door.COMMAND)


def take_person(verb: ArgumentParser, *, required: bool = True) -> None:
    verb.add_argument("--as", dest="person", required=required, metavar="EMAIL", help="in whose name")
