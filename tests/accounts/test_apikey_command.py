"""`manage.py apikey`, as an operator types it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import ApiKey, User
from accounts.services import keys
from security.models import AuditEntry
from tests.factories import UserFactory, make_key


def apikey(*words: str) -> str:
    told = StringIO()
    call_command("apikey", *words, stdout=told)
    return told.getvalue()


def test_create_prints_a_key_that_opens(person: User) -> None:
    text = apikey("create", "--user", person.email.upper(), "--scope", "write", "--quiet").strip()
    verified = keys.verify(text)
    assert verified is not None
    assert (verified.user_id, verified.scope, verified.expires_at) == (person.pk, "write", None)


def test_a_key_made_here_is_read_only_unless_more_is_asked_for_and_ends_when_told(person: User) -> None:
    told = apikey("create", "--user", person.email, "--expires-days", "30")
    verified = keys.verify(told.splitlines()[-1])
    assert verified is not None
    assert verified.scope == "read"
    assert verified.expires_at is not None
    assert "shown this once" in told


def test_list_shows_first_characters_and_never_a_key(person: User) -> None:
    _, text = make_key(person)
    make_key(UserFactory(email="other@example.com"))
    told = apikey("list", "--user", person.email)
    assert f"wiz_{text[4:12]}…" in told
    assert text not in told
    assert "other@example.com" not in told
    assert "other@example.com" in apikey("list")


@pytest.mark.parametrize("by", ["number", "first characters", "whole key"])
def test_a_key_is_named_by_its_number_its_first_characters_or_itself(person: User, by: str) -> None:
    key, text = make_key(person)
    apikey("revoke", {"number": str(key.pk), "first characters": key.shown, "whole key": text}[by])
    assert keys.verify(text) is None


def test_rotate_prints_the_new_key_and_lets_the_old_one_work_on(person: User) -> None:
    key, old = make_key(person)
    new = apikey("rotate", str(key.pk), "--overlap-hours", "1", "--quiet").strip()
    assert keys.verify(old) is not None
    assert keys.verify(new) is not None


def test_what_is_done_here_is_audited_as_done_at_the_command_line(person: User) -> None:
    apikey("create", "--user", person.email)
    assert AuditEntry.objects.get().door == "command"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["create", "--user", "nobody@example.com"], "Nobody has"),
        (["revoke", "999999"], "apikey list"),
        (["rotate", "wiz_unknown0"], "apikey list"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(words: list[str], says: str, db: None) -> None:
    with pytest.raises(CommandError, match=says):
        apikey(*words)


def test_a_key_that_cannot_be_rotated_is_told_and_stays(person: User) -> None:
    key, _ = make_key(person)
    apikey("revoke", str(key.pk))
    with pytest.raises(CommandError, match="revoked"):
        apikey("rotate", str(key.pk))
    assert ApiKey.objects.count() == 1
