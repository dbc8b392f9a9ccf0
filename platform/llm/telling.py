"""What models are told in the same words everywhere."""

import json
from typing import Any

UNKNOWN = (
    "The outcome of this call is unknown: the platform was interrupted while it was under way. It may have been "
    "carried out. Find out before you call it again."
)


def clipped(given: Any, most: int) -> Any:
    """The value as it is while it is short; else the beginning of its text, or of it as JSON, and how long it was, in
    characters."""
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return given if len(text) <= most else f"{text[:most]}\n[It was cut here: {len(text):,} characters.]"
