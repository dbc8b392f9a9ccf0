"""How the bots' pages show what strangers on Discord wrote, and words that depend on a state."""

from collections.abc import Mapping

from django import template
from django.utils.safestring import SafeString, mark_safe

from bots.services import transcript_page

register = template.Library()


@register.filter
def written(text: str) -> SafeString:
    """A message's Markdown as the transcript shows it."""
    # Safe because it is held to the transcript's list of harmless tags.
    return mark_safe(transcript_page.written(text))  # noqa: S308


@register.filter
def span(seconds: int) -> str:
    """A length of time in its largest whole unit: 7 days, 90 minutes."""
    for name, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % length == 0 and seconds >= length:
            count = seconds // length
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


@register.filter
def of(words: Mapping[str, str], state: str) -> str:
    """What a mapping says of a state; nothing where it says nothing."""
    return words.get(state, "")
