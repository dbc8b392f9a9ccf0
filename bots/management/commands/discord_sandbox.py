"""`manage.py discord_sandbox`: the sandbox Discord on a port of this machine."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from bots.discord.sandbox import server


class Command(BaseCommand):
    help = "Serves the sandbox Discord, where bots can act and nobody is really banned, on a port of this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.PORT + 1, help="the port, %(default)s by default")
        parser.add_argument(
            "--state",
            type=Path,
            default=settings.VAR / "discord-sandbox.json",
            help="the file with its bots, guilds and members, kept up to date; %(default)s by default",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        port, state = options["port"], options["state"]
        try:
            world = server.load(state)
        except ValueError as error:
            raise CommandError(f"{state} does not describe a sandbox: {error}") from error

        def announce(url: str) -> None:
            self.stdout.write(f"Sandbox Discord at {url}, kept in {state}.")
            self.stdout.flush()

        try:
            server.serve(world, port=port, state=state, announce=announce)
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used ({error.strerror}). Choose another with --port.") from error
