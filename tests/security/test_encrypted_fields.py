"""Secrets at rest: what the database holds, where a ciphertext opens, and how keys rotate.

A bot's token stands for every field of the kind.
"""

from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.forms import modelform_factory
from hypothesis import given
from hypothesis import strategies as st

from bots.models import Bot
from security.encryption import DecryptionError, keyring, new_key
from security.fields import Sealed
from security.redact import REDACTED
from tests.bots.factories import BotFactory

SECRET = "a token that nobody may read"


def stored(bot: Bot) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM bots_bot WHERE id = %s", [bot.pk])
        return bytes(cursor.fetchone()[0])


def put(bot: Bot, sealed: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE bots_bot SET token = %s WHERE id = %s", [sealed, bot.pk])


@pytest.fixture
def bot(db: None) -> Bot:
    return BotFactory(token=SECRET)


def test_a_secret_comes_back_as_it_went_in_and_lies_sealed_between(bot: Bot) -> None:
    assert SECRET.encode() not in stored(bot)
    assert Bot.objects.get(pk=bot.pk).token == SECRET


def test_the_same_secret_is_sealed_differently_each_time(bot: Bot) -> None:
    first = stored(bot)
    bot.save()
    assert stored(bot) != first
    assert Bot.objects.get(pk=bot.pk).token == SECRET


def test_a_ciphertext_moved_to_another_row_does_not_open(bot: Bot) -> None:
    other = BotFactory(token="another")
    put(other, stored(bot))
    with pytest.raises(DecryptionError, match="does not belong to the row"):
        _ = Bot.objects.get(pk=other.pk).token


def test_a_changed_ciphertext_does_not_open(bot: Bot) -> None:
    sealed = bytearray(stored(bot))
    sealed[-1] ^= 1
    put(bot, bytes(sealed))
    with pytest.raises(DecryptionError):
        _ = Bot.objects.get(pk=bot.pk).token


@given(st.text())
def test_whatever_is_sealed_opens_with_its_binding_alone(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    sealed = keyring().seal(text, b"here")
    assert keyring().open(sealed, b"here") == text
    with pytest.raises(DecryptionError):
        keyring().open(sealed, b"there")


def test_reading_a_row_opens_nothing_until_the_secret_is_asked_for(bot: Bot) -> None:
    put(bot, b"\x01nonsense that no key opens")
    read = Bot.objects.get(pk=bot.pk)
    assert read.name == bot.name
    with pytest.raises(DecryptionError, match="ENCRYPTION_KEYS"):
        _ = read.token


def test_saving_a_row_whose_secret_was_not_read_leaves_the_ciphertext_as_it_was(bot: Bot) -> None:
    before = stored(bot)
    read = Bot.objects.get(pk=bot.pk)
    read.name = "Renamed"
    read.save()
    assert stored(bot) == before


def test_values_never_give_a_secret_in_clear(bot: Bot) -> None:
    (value,) = Bot.objects.filter(pk=bot.pk).values_list("token", flat=True)
    assert isinstance(value, Sealed)
    assert SECRET not in f"{value} {value!r}"
    assert SECRET.encode() not in bytes(value)


@pytest.mark.parametrize("question", [{"token": SECRET}, {"token__contains": "a"}, {"token__in": [SECRET]}], ids=str)
def test_a_secret_cannot_be_searched_for(question: dict[str, Any], db: None) -> None:
    with pytest.raises((FieldError, TypeError)):
        Bot.objects.filter(**question).exists()


def test_a_query_cannot_write_a_secret_past_its_row(bot: Bot) -> None:
    with pytest.raises(FieldError, match="saving its row"), transaction.atomic():
        Bot.objects.filter(pk=bot.pk).update(token="plain")
    with pytest.raises(FieldError, match="saving its row"), transaction.atomic():
        Bot.objects.bulk_update([bot], ["token"])
    assert Bot.objects.get(pk=bot.pk).token == SECRET


def test_rows_made_many_at_once_need_their_keys_first(bot: Bot) -> None:
    with pytest.raises(FieldError, match="one by one"):
        Bot.objects.bulk_create([Bot(owner=bot.owner, name="Many", application_id=5, token="x")])


def test_a_form_shows_that_there_is_a_secret_and_keeps_it_when_nothing_is_sent(bot: Bot) -> None:
    form_class = modelform_factory(Bot, fields=["name", "token"])
    shown = form_class(instance=bot).as_p()
    assert SECRET not in shown
    for sent in ("", REDACTED):
        form = form_class({"name": "Renamed", "token": sent}, instance=Bot.objects.get(pk=bot.pk))
        assert form.is_valid(), form.errors
        form.save()
        assert Bot.objects.get(pk=bot.pk).token == SECRET
    form_class({"name": "Renamed", "token": "new"}, instance=Bot.objects.get(pk=bot.pk)).save()
    assert Bot.objects.get(pk=bot.pk).token == "new"


def test_keys_rotate_without_a_secret_being_lost(bot: Bot, settings: Any) -> None:
    old, new = settings.ENCRYPTION_KEYS[0], new_key()
    settings.ENCRYPTION_KEYS = [new, old]
    assert Bot.objects.get(pk=bot.pk).token == SECRET
    told = StringIO()
    call_command("reencrypt", stdout=told)
    assert "bots.Bot.token: 1 sealed anew." in told.getvalue()
    settings.ENCRYPTION_KEYS = [new]
    assert Bot.objects.get(pk=bot.pk).token == SECRET
    settings.ENCRYPTION_KEYS = [old]
    with pytest.raises(DecryptionError, match="ENCRYPTION_KEYS does not hold"):
        _ = Bot.objects.get(pk=bot.pk).token


def test_sealing_anew_passes_over_what_it_cannot_open_and_names_it(bot: Bot, settings: Any) -> None:
    broken = BotFactory(token="lost")
    put(broken, stored(bot))
    settings.ENCRYPTION_KEYS = [new_key(), *settings.ENCRYPTION_KEYS]
    with pytest.raises(CommandError, match=rf"1 sealed anew.*bots\.Bot {broken.pk}$"):
        call_command("reencrypt", stdout=StringIO())
    assert Bot.objects.get(pk=bot.pk).token == SECRET


@pytest.mark.parametrize("keys", [[], ["short"], ["é" * 43], [""]], ids=str)
def test_a_key_that_is_none_is_refused_with_what_it_should_be(keys: list[str], settings: Any) -> None:
    settings.ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match=r"32 (random )?bytes in base64"):
        keyring().seal("x", b"here")
