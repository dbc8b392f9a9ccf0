"""Cutting what is too long for a model to be told, with a remark that it was cut."""

import json
from typing import Any


def clipped(given: Any, most: int) -> Any:
    """The value as it is while it is short; else the beginning of its text, or of it as JSON, and how long it was, in
    characters."""
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return given if len(text) <= most else f"{text[:most]}\n[It was cut here: {len(text):,} characters.]"
