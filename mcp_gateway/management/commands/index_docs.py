"""`manage.py index_docs`: make docs/ searchable by the tool searchDocs. To be run after every change of the guides."""

from typing import Any

from django.core.management.base import BaseCommand

from mcp_gateway.guides import index_guides


class Command(BaseCommand):
    help = "Cut docs/*.md into passages that searchDocs finds."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{index_guides()} passages of the guides can be searched.")
