"""Messages are found by their words, and no message keeps the database busy or is refused by it for those it has."""

import pytest
from django.contrib.postgres.search import SearchQuery
from django.db import connection

from agents_hub.models import Message, Speaker
from agents_hub.models.words import words_of_messages
from agents_hub.services import conversations
from agents_hub.services.turns import LONGEST_TEXT
from tests.agents_hub.chat.talks import Talk

pytestmark = pytest.mark.django_db

# Each takes PostgreSQL's parser from several seconds to minutes at a message's length; all else, some milliseconds.
RUNS = ["a_", "./", "~/", "a1@"]


@pytest.mark.parametrize("run", RUNS)
def test_no_message_keeps_the_database_busy_with_its_words(talk: Talk, run: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '3s'")
    text = (run * LONGEST_TEXT)[:LONGEST_TEXT]
    Message.objects.create(conversation=talk.conversation, speaker=Speaker.PERSON, text=text)


def test_an_answer_as_long_as_a_book_is_kept(talk: Talk) -> None:
    text = " ".join(f"word{number}" for number in range(200_000))
    kept = Message.objects.create(conversation=talk.conversation, speaker=Speaker.AGENT, text=text)
    kept.refresh_from_db()
    assert kept.text == text


@pytest.mark.parametrize(
    "search", ["ada@example.com", "example", "tide_tables", "tables", "/usr/share/tides.csv", "share", "12.50", "v1.2"]
)
def test_what_has_marks_in_it_is_found_whole_and_by_its_parts(talk: Talk, search: str) -> None:
    turn = talk.say("Write to ada@example.com of tide_tables in /usr/share/tides.csv for 12.50, by v1.2")
    found = conversations.list_conversations(talk.caller, search=search).rows
    assert [one.pk for one in found] == [turn.conversation_id]


def test_words_are_looked_up_in_the_index(talk: Talk) -> None:
    rows = Message.objects.annotate(words=words_of_messages()).filter(words=SearchQuery("tide", config="simple"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "message_by_plain_words" in rows.explain()
