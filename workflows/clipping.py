"""Cutting what is too long to be kept, shown or told as a whole, with a remark that it was cut."""

import json
from collections.abc import Mapping
from typing import Any

# In characters: to say that less was cut takes more.
SHORTEST = 80


def clipped(given: Any, most: int) -> Any:
    """The value as it is while it is short; else the beginning of its text, or of it as JSON, and how long it was."""
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return given if len(text) <= most else f"{text[:most]}\n[It was cut here: {len(text):,} characters.]"


def cut(text: str, most: int | None) -> str:
    """The text as it is while it is short; else its beginning and how long it was, on one line. None cuts nothing."""
    return text if most is None or len(text) <= most else f"{text[:most]} [cut: {len(text):,} characters]"


def clipped_each(values: Mapping[str, Any], most: int, in_all: int) -> dict[str, Any]:
    """The values by their names, each cut to `most` characters, and to the shortest once all have `in_all`."""
    found, room = {}, in_all
    for name, value in values.items():
        found[name] = clipped(value, max(SHORTEST, min(most, room)))
        room -= len(found[name] if isinstance(found[name], str) else json.dumps(found[name], ensure_ascii=False))
    return found
