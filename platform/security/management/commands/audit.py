"""`manage.py audit prune`: let old entries of the audit go. Nothing else can take one away."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from security import retention


class Command(BaseCommand):
    help = "Take entries older than a number of days out of the audit, and leave one that says so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        prune = verbs.add_parser("prune", help="take old entries away")
        prune.add_argument("--days", type=int, required=True, help="how many days of entries stay")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        if days < 1:
            raise CommandError("Keep one day at least: --days 1.")
        count = retention.prune_audit(timezone.now() - timedelta(days=days))
        self.stdout.write(f"{count:,} entries older than {days} days were taken away.")
