"""Finding part of a name by an index, with what every PostgreSQL has: its arrays and GIN, no extension.

`agents_hub_trigrams(text)` gives the three-character pieces of a text in upper case; a name that holds a text holds all
of its pieces, so the index leaves few rows for the comparison itself.
"""

from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db.models import Func, QuerySet, TextField, Value

from security.storable import storable

PIECE_LENGTH = 3

Rows = TypeVar("Rows", bound=QuerySet[Any])


class Trigrams(Func):
    function = "agents_hub_trigrams"
    arity = 1
    output_field = ArrayField(TextField())


def named_like(rows: Rows, text: str, *, field: str = "name") -> Rows:
    """Those whose name holds the text, in any case. A text shorter than a piece is compared with every name."""
    text = storable(text)
    if len(text) >= PIECE_LENGTH:
        rows = rows.alias(pieces=Trigrams(field)).filter(pieces__contains=Trigrams(Value(text)))
    return rows.filter(**{f"{field}__icontains": text})
