"""Where files lie while a test runs."""

from pathlib import Path

from pytest_django import Settings


def keep_files_in(folder: Path, settings: Settings) -> None:
    """What is uploaded lies in that folder until the test is over."""
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = settings.STORAGES | {"files": backend}
