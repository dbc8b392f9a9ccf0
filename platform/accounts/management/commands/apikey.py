"""`manage.py apikey`: make, list, rotate and revoke API keys from the command line."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.caller import Caller, Door
from accounts.errors import DomainError
from accounts.models import ApiKey, User
from accounts.scopes import Scope
from accounts.services import keys


class Command(BaseCommand):
    help = "Make, list, rotate and revoke API keys. A key is named by its number or by its first characters."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)

        create = verbs.add_parser("create", help="make a key and print it, this once")
        create.add_argument("--user", required=True, metavar="EMAIL", help="whose key it is")
        create.add_argument("--name", default="Command line", help="what it is for")
        create.add_argument("--scope", choices=[scope.value for scope in Scope], default=Scope.READ.value)
        create.add_argument("--expires-days", type=int, metavar="DAYS", help="end it by itself after this many days")
        create.add_argument("--quiet", action="store_true", help="print the key alone")

        listing = verbs.add_parser("list", help="list keys by their first characters")
        listing.add_argument("--user", metavar="EMAIL", help="only this person's")

        rotate = verbs.add_parser("rotate", help="make a key in place of another, and print it, this once")
        rotate.add_argument("key", help="the old key's number or first characters")
        rotate.add_argument(
            "--overlap-hours", type=float, default=0, metavar="HOURS", help="how long the old one works on"
        )
        rotate.add_argument("--quiet", action="store_true", help="print the key alone")

        revoke = verbs.add_parser("revoke", help="end a key at once")
        revoke.add_argument("key", help="the key's number or first characters")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, verb)(**options)
        except DomainError as error:
            raise CommandError(error.message) from None

    def create(self, *, user: str, name: str, scope: str, expires_days: int | None, quiet: bool, **_: Any) -> None:
        expires_at = None if expires_days is None else timezone.now() + timedelta(days=expires_days)
        made = keys.create_key(_caller(_person(user)), name=name, scope=Scope(scope), expires_at=expires_at)
        self._show(made, quiet)

    def list(self, *, user: str | None, **_: Any) -> None:
        found = ApiKey.objects.select_related("user").order_by("user__email", "-created_at")
        if user:
            found = found.filter(user=_person(user))
        line = "{:>6}  {:<14} {:<6} {:<9} {:<17} {:<17} {:<28} {}"
        self.stdout.write(line.format("number", "key", "scope", "status", "last used", "expires", "person", "name"))
        for key in found.iterator():
            used, expires = _minute(key.last_used_at, "never"), _minute(key.expires_at, "never")
            self.stdout.write(
                line.format(key.pk, key.shown, key.scope, key.status, used, expires, key.user.email, key.name)
            )

    def rotate(self, *, key: str, overlap_hours: float, quiet: bool, **_: Any) -> None:
        old = _key(key)
        self._show(keys.rotate_key(_caller(old.user), key_id=old.pk, overlap=timedelta(hours=overlap_hours)), quiet)

    def revoke(self, *, key: str, **_: Any) -> None:
        found = _key(key)
        keys.revoke_key(_caller(found.user), key_id=found.pk)
        self.stdout.write(f"Revoked {found}.")

    def _show(self, made: keys.NewKey, quiet: bool) -> None:
        if quiet:
            self.stdout.write(made.text)
            return
        self.stdout.write(f"Key number {made.key.pk}, scope {made.key.scope}. It is shown this once:")
        self.stdout.write(made.text)


def _person(email: str) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        raise CommandError(f"Nobody has the e-mail address {email}.")
    return user


def _key(named: str) -> ApiKey:
    """The key with this number, or with these first characters, with or without `wiz_`."""
    first = named.removeprefix("wiz_").rstrip("…")[:8]
    keys_found = ApiKey.objects.select_related("user")
    found = (keys_found.filter(pk=int(named)) if named.isdecimal() else keys_found.filter(lookup=first)).first()
    if found is None:
        raise CommandError(f"There is no key {named[:12]}. `manage.py apikey list` lists them.")
    return found


def _caller(user: User) -> Caller:
    return Caller(user_id=user.pk, scope=Scope.ADMIN, door=Door.COMMAND)


def _minute(moment: datetime | None, missing: str) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else missing
