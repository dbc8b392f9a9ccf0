"""What models wrote in answers, round by round, as it was stored, and as people read it."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F

from agents_hub.models import TurnStep


def joined(texts: Iterable[str]) -> str:
    """What was said in several rounds as one text."""
    return "\n\n".join(stripped for text in texts if (stripped := text.strip()))


def texts_of(turns: Iterable[UUID]) -> dict[UUID, list[str]]:
    """The texts of each turn's rounds, from the first, in one query; what tools gave in them is left unread."""
    steps = TurnStep.objects.filter(turn__in=list(turns), kind=TurnStep.Kind.ANSWER).order_by("turn_id", "number")
    found: dict[UUID, list[str]] = {}
    for turn_id, text in steps.values_list("turn_id", F("body__text")):
        found.setdefault(turn_id, []).append(text)
    return found
