"""Cutting texts and values that are too long to be kept or shown as a whole, with a remark that it was done."""

import json
from collections.abc import Mapping
from typing import Any

from llm.telling import clipped

# In characters: to say that less was cut takes more.
SHORTEST = 80


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
