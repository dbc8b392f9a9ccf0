"""Times as a schedule says them: exact, and in its own time zone."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.inclusion_tag("scheduling/moments.html")
def moments(due: Iterable[datetime]) -> dict[str, Any]:
    """Due times one under the other, as the clock of their zone shows them."""
    return {"moments": [{"iso": moment.isoformat(), "words": _in_words(moment)} for moment in due]}


@register.simple_tag
def exact(moment: datetime, time_zone: str) -> SafeString:
    with suppress(ZoneInfoNotFoundError):  # in UTC, where the zone has left the machine's database
        moment = moment.astimezone(ZoneInfo(time_zone))
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), _in_words(moment))


def _in_words(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M} ({moment:%Z})"
