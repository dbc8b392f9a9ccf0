"""What the pages of workflows say: colours of statuses, and values by key and as they are written."""

import json
from collections.abc import Mapping

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
