"""`manage.py demo`: fill in the demo data that a first `up` fills in by itself."""

from typing import Any

from django.core.management.base import BaseCommand

from config import demo


class Command(BaseCommand):
    help = "Fill in demo data: a person, an organization, a bot with tickets, cases, codes and 60 days of activity."

    def handle(self, **options: Any) -> None:
        login = demo.fill()
        self.stdout.write(f"Sign in as {login.email} with the password {login.password}.")
