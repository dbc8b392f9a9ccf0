"""A column for secrets that are only ever compared: kept and looked up as their SHA-256."""

import hashlib
from typing import Any

from django.db import models


class Digest(str):
    """The hexadecimal SHA-256 that a row holds, told apart from a text that has still to be digested."""

    __slots__ = ()


def digest(text: str) -> Digest:
    return Digest(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


class DigestField(models.CharField):  # type: ignore[type-arg]
    """Stores and finds a text by its SHA-256. What comes out of the database goes back in unchanged.

    A lookup is given the text, never the digest: a digest sent by a client as plain text is digested again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = 64
        super().__init__(*args, **kwargs)

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Digest):
            return None if value is None else str(value)
        return str(digest(str(value)))

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Digest | None:
        return None if value is None else Digest(value)
