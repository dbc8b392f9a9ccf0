"""Reading settings from the environment, with errors that name the variable and say what it takes."""

import base64
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def flag(name: str, default: bool) -> bool:
    value = os.environ.get(name)
    if value is None:
        return default
    if value.strip().lower() in TRUE:
        return True
    if value.strip().lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; set it to 1 or 0.")


def number(name: str, default: int, *, least: int = 0) -> int:
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        parsed = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; set it to a whole number.") from None
    if parsed < least:
        raise ImproperlyConfigured(f"{name} is {parsed}; the least it can be is {least}.")
    return parsed


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list, without blanks."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def secret(name: str, *, file: Path, make: Callable[[], str] | None = None) -> str:
    """The variable, else what its file holds, else what `make` gives, kept in the file for this user alone."""
    if value := text(name):
        return value
    if not file.exists() and make is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(make())
        # A link, unlike a rename, leaves the one that another process may have made first.
        with suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        return ""


def random_key() -> str:
    """A new key for AES-256 in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def random_text() -> str:
    """A new secret of 384 random bits."""
    return secrets.token_urlsafe(48)
