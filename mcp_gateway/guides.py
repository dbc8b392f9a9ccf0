"""Searching the guides: docs/*.md cut into passages in PostgreSQL, and the passages that answer a question best."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import transaction
from django.db.models import F
from django.urls import reverse

from dashboard import guidebook
from mcp_gateway.models import Passage
from mcp_gateway.models.passages import LANGUAGE

MOST_RESULTS = 8
# With fewer passages that hold all words, those that hold some of them follow.
FEW = 4
MOST_WORDS = 32
LONGEST_PASSAGE = 2_000
# Words in a heading count for a lot (A), in the text for a little (D); the two between are not used.
WEIGHTS = [0.1, 0.2, 0.4, 1.0]


@dataclass(frozen=True, slots=True)
class Answer:
    title: str
    text: str
    url: str


@transaction.atomic
def index_guides() -> int:
    """Replace the passages by those of the files as they are now; gives how many."""
    made = [
        Passage(
            guide=path.stem,
            position=position,
            anchor=section.anchor,
            title=title[:200],
            heading=section.heading[:200],
            text=section.text,
        )
        for path in sorted(guidebook.folder().glob("*.md"))
        if path.stem != "index"
        for title, sections in [guidebook.sections(path.read_text("utf-8"))]
        for position, section in enumerate(sections)
    ]
    Passage.objects.all().delete()
    Passage.objects.bulk_create(made)
    return len(made)


def search_guides(question: str) -> list[Answer]:
    """The passages that hold all words of the question, the best first; where they are few, then those that hold any.

    The plan: the GIN index `passage_search`, then a sort of what it found.
    """
    words = question.split()[:MOST_WORDS]
    found = _ranked(SearchQuery(" ".join(words), search_type="websearch", config=LANGUAGE))
    if len(found) < FEW and len(words) > 1:
        anything = SearchQuery(words[0], config=LANGUAGE)
        for word in words[1:]:
            anything |= SearchQuery(word, config=LANGUAGE)
        known = {passage.pk for passage in found}
        found += [passage for passage in _ranked(anything) if passage.pk not in known]
    return [_answer(passage) for passage in found[:MOST_RESULTS]]


def _ranked(query: SearchQuery) -> list[Passage]:
    rank = SearchRank(F("search"), query, weights=WEIGHTS, normalization=1)
    return list(Passage.objects.filter(search=query).order_by(rank.desc(), "guide", "position")[:MOST_RESULTS])


def _answer(passage: Passage) -> Answer:
    anchor = f"#{passage.anchor}" if passage.anchor else ""
    return Answer(
        title=str(passage),
        text=passage.text[:LONGEST_PASSAGE],
        url=settings.PUBLIC_URL + reverse("dashboard:guide", args=[passage.guide]) + anchor,
    )
