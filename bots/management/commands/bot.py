"""`manage.py bot`: add a bot with its token, list bots, ask Discord whether a token still works."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.caller import Caller, Door
from accounts.errors import DomainError
from accounts.models import User
from accounts.scopes import Scope
from bots.models import Bot
from bots.services import bots


class Command(BaseCommand):
    help = "Adds, lists and checks Discord bots. A token is read from standard input, never from the command line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="store a bot whose token Discord accepts")
        add.add_argument("--owner", required=True, metavar="EMAIL", help="whose bot it is")
        shown = verbs.add_parser("list", help="list bots")
        shown.add_argument("--owner", metavar="EMAIL", help="only this person's")
        check = verbs.add_parser("check", help="ask Discord whether a bot's token works, and clear its error if so")
        check.add_argument("bot_id", type=int)
        check.add_argument("--new-token", action="store_true", help="read a new token and store it if it works")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except DomainError as error:
            raise CommandError(error.message) from error

    def _add(self, options: dict[str, Any]) -> None:
        bot = bots.add_bot(_as_owner(_person(options["owner"])), token=_token())
        self.stdout.write(f"{bot.name} is bot {bot.pk} of {options['owner']}, in {bot.guilds.count()} guilds.")

    def _list(self, options: dict[str, Any]) -> None:
        shown = Bot.objects.select_related("owner").order_by("id")
        if options["owner"]:
            shown = shown.filter(owner=_person(options["owner"]))
        for bot in shown:
            where = "sandbox" if bot.sandbox else "Discord"
            line = f"{bot.pk:>4}  {bot.name}  {bot.owner.email}  {where}  {bot.status}  {bot.last_error}"
            self.stdout.write(line.rstrip())

    def _check(self, options: dict[str, Any]) -> None:
        bot = Bot.objects.select_related("owner").filter(pk=options["bot_id"]).first()
        if bot is None:
            raise CommandError(f"There is no bot {options['bot_id']}. `manage.py bot list` shows them.")
        token = _token() if options["new_token"] else None
        checked = bots.check_bot(_as_owner(bot.owner), bot_id=bot.pk, token=token)
        self.stdout.write(f"Discord accepts the token of {checked.name}.")


def _person(email: str) -> User:
    person = User.objects.filter(email__iexact=email).first()
    if person is None:
        raise CommandError(f"Nobody here has the e-mail address {email}.")
    return person


def _as_owner(person: User) -> Caller:
    return Caller(user_id=person.pk, scope=Scope.ADMIN, door=Door.COMMAND)


def _token() -> str:
    """From a prompt that does not show it, or from a pipe."""
    return getpass.getpass("The bot's token: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
