"""Finding messages by their words, through an index of PostgreSQL's text search.

Its parser looks for addresses, paths and numbers in runs of letters with certain marks between, and takes time that
grows with the square of such a run: `a_a_a…` of a message's length keeps a processor busy for minutes. So words are
parted at these marks, in messages as in what is searched for. Nor does it take a text whose words fill a megabyte.
"""

from django.contrib.postgres.search import SearchVector
from django.db.models import F, Func, TextField, Value

MARKS = "_./~@"
SPACES = " " * len(MARKS)
# In characters. What stands behind that, in an answer as long as a book, is not found.
MOST_INDEXED = 200_000


def words_of_messages() -> SearchVector:
    """The words of a message, as the index `message_by_plain_words` has them."""
    beginning = Func(F("text"), Value(MOST_INDEXED), function="LEFT", output_field=TextField())
    parted_text = Func(beginning, Value(MARKS), Value(SPACES), function="TRANSLATE", output_field=TextField())
    return SearchVector(parted_text, config="simple")


def parted(text: str) -> str:
    """What is searched for, parted as messages are."""
    return text.translate(str.maketrans(MARKS, SPACES))
