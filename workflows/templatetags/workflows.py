"""What the pages of workflows say: how long something took, and values by key and as they are written."""

import json
from collections.abc import Mapping
from datetime import datetime

from django import template

from workflows.pages.timeline import MEANINGS

register = template.Library()


@register.filter
def of(values: Mapping[str, object], key: str) -> object:
    return values.get(key, "")


@register.filter
def meaning(status: str) -> str:
    """How an execution's status is coloured."""
    return MEANINGS[status]


@register.filter
def written(value: object) -> str:
    """Text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


@register.simple_tag
def took(begin: datetime, end: datetime | None) -> str:
    """The time between: 4.2 s, 3 min 5 s, 2 h 10 min."""
    if end is None:
        return ""
    seconds = max(0.0, (end - begin).total_seconds())
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
