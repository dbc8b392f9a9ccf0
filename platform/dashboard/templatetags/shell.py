"""What templates say the same way everywhere: icons, times, badges, fields, code, and things to copy."""

import re
from datetime import datetime
from typing import Any, Protocol

from django import template
from django.forms import BoundField
from django.template.defaultfilters import date as format_date
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dashboard.charts import format_number
from dashboard.sorting import Sorting
from security.visible import visible

register = template.Library()
register.filter("visible", visible)

UUIDS = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{6}([0-9a-f]{6})\b")
# Code longer than this is folded.
LINES_SHOWN = 20
SPANS = (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3_600), ("minute", 60))


@register.simple_tag
def icon(name: str) -> SafeString:
    """A 16 px icon: the shell's by its name, an app's by its template's path. Screen readers pass it over."""
    return render_to_string(name if name.endswith(".svg") else f"dashboard/icons/{name}.svg")


@register.simple_tag
def badge(word: object, meaning: str = "") -> SafeString:
    """A status as a word; `meaning` is ok, warn, error, info or nothing, and only colours it."""
    return format_html('<span class="badge" data-meaning="{}">{}</span>', meaning, word)


@register.simple_tag
def ago(moment: datetime | None, missing: str = "Never") -> SafeString:
    """A time as people say it ("5 minutes ago", "in 2 days"), with the exact one on hover and for programs.

    A script of the shell keeps it true while the page stays open, and has the exact one be in the viewer's time zone.
    """
    if moment is None:
        return format_html('<span class="faint">{}</span>', missing)
    exact = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        exact.isoformat(timespec="seconds"),
        format_date(exact, "j F Y, H:i:s T"),
        relative(moment, timezone.now()),
    )


@register.filter
def short_ids(text: str) -> str:
    """The text with each UUID as its last six digits, as lists show ids."""
    return UUIDS.sub("\u2026\\1", text)


@register.simple_tag
def took(begin: datetime, end: datetime | None) -> str:
    """The time between: 4.2 s, 3 min 5 s, 2 h 10 min; nothing where it has not ended."""
    if end is None:
        return ""
    seconds = round(max(0.0, (end - begin).total_seconds()), 1)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def relative(moment: datetime, now: datetime) -> str:
    """As `inWords` of shell.js has it, too."""
    seconds = (now - moment).total_seconds()
    for name, length in SPANS:
        count = int(abs(seconds) // length)
        if count:
            span = f"{count} {name}{'' if count == 1 else 's'}"
            return f"{span} ago" if seconds > 0 else f"in {span}"
    return "just now" if seconds >= 0 else "in a moment"


@register.filter
def limit(value: int | None) -> str:
    """A plan's limit; an empty one means that there is none."""
    return "Unlimited" if value is None else f"{value:,}"


@register.filter
def number(value: int | float | None) -> str:
    """A count with its thousands parted: 12,345."""
    return "" if value is None else format_number(value)


@register.inclusion_tag("dashboard/components/copyable.html")
def copyable(value: object, what: str = "id") -> dict[str, Any]:
    """An id or the like in monospace with a button that copies it. `what` is what the button says it copies."""
    return {"value": value, "what": what}


@register.inclusion_tag("dashboard/components/code.html")
def code_block(text: str, caption: str = "", block_id: str = "code") -> dict[str, Any]:
    """Code or JSON with a copy button. `block_id` is the element's id, to be unique on the page."""
    lines = text.strip("\n").splitlines()
    return {
        "text": "\n".join(lines),
        "lines": len(lines),
        "folded": len(lines) > LINES_SHOWN,
        "caption": caption,
        "block_id": block_id,
    }


@register.inclusion_tag("dashboard/components/secret.html")
def secret_once(secret: str | list[str], what: str, *, is_encrypted: bool = False) -> dict[str, Any]:
    """Secrets that are shown this once, each with a copy button. `what` names them: "key", "codes".

    Of most a digest is kept; one that we use ourselves is kept encrypted.
    """
    secrets = [secret] if isinstance(secret, str) else list(secret)
    return {"secrets": secrets, "what": what, "is_encrypted": is_encrypted}


@register.inclusion_tag("dashboard/components/field.html")
def field(bound: BoundField, *, says_optional: bool = True) -> dict[str, Any]:
    """A form's field: label above, help below, its errors under it."""
    # Several to tick are a group with a legend.
    is_check = getattr(bound.field.widget, "input_type", "") == "checkbox" and not bound.use_fieldset
    is_optional = says_optional and not bound.field.required and not is_check
    return {"field": bound, "is_check": is_check, "is_optional": is_optional}


@register.inclusion_tag("dashboard/components/fields.html")
def fields(form: Any) -> dict[str, Any]:
    """All of a form: errors of the whole first, then each field in order."""
    return {"form": form}


@register.inclusion_tag("dashboard/components/chart.html")
def bar_chart(chart: Any, chart_id: str, label_heading: str = "When") -> dict[str, Any]:
    """A chart and, folded under it, its table."""
    return {"chart": chart, "chart_id": chart_id, "label_heading": label_heading}


@register.inclusion_tag("dashboard/components/sort_head.html", takes_context=True)
def sort_head(context: template.Context, sorting: Sorting, name: str, label: str, kind: str = "") -> dict[str, Any]:
    """The head of a column that the list can be sorted by. `kind` is its classes: "main", "number", "end"."""
    return {
        "request": context["request"],
        "label": label,
        "kind": kind,
        "said": sorting.said_of(name),
        "leads_to": sorting.after(name).value or None,
    }


@register.simple_tag
def keep_sort(sorting: Sorting) -> SafeString:
    """For a form that filters a sorted list: its order stays."""
    return format_html('<input type="hidden" name="sort" value="{}">', sorting.value) if sorting.value else SafeString()


class Numbered(Protocol):
    """One page of a list whose pages are counted."""

    @property
    def number(self) -> int: ...
    @property
    def last(self) -> int: ...


@register.inclusion_tag("dashboard/components/numbered_pager.html", takes_context=True)
def numbered_pager(context: template.Context, page: Numbered) -> dict[str, Any]:
    """Links to the pages before and after; nothing where all fit on one page."""
    return {"request": context["request"], "page": page}


@register.inclusion_tag("dashboard/components/pager.html", takes_context=True)
def pager(context: template.Context, next_cursor: str | None, sorting: Sorting | None = None) -> dict[str, Any]:
    """Links to the first rows and to those that `?cursor=` leads to; nothing where all fit on one page."""
    request = context["request"]
    is_rising = sorting is not None and sorting.direction == "asc"
    return {
        "next_cursor": next_cursor,
        "is_first": "cursor" not in request.GET,
        "begins": "Oldest" if is_rising else "Newest",
        "goes_on": "Newer" if is_rising else "Older",
        "request": request,
    }
