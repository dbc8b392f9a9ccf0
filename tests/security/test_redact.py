"""Taking secrets out: by name, by look, at any depth, in bounded time."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.key_format import new_key
from security.redact import REDACTED, TOO_DEEP, is_secret_name, redact

SECRET = "correcthorsebatterystaple"
NAMES = st.sampled_from(
    [
        "password",
        "apiKey",
        "api_key",
        "X-Api-Key",
        "clientSecret",
        "Authorization",
        "refresh_token",
        "botToken",
        "Cookie",
    ]
)
WORDS = st.text("abcdefghij ", max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "name", ["password", "newPassword", "API-Key", "accessToken", "tokens", "client_secret", "Set-Cookie", "privateKey"]
)
def test_a_name_that_means_a_secret_is_known_however_it_is_spelt(name: str) -> None:
    assert redact({name: SECRET, "kept": 1}) == {name: REDACTED, "kept": 1}


@pytest.mark.parametrize(
    "name",
    ["aiTokensUsed", "tokens_left", "monthly_ai_tokens", "nextCursor", "author", "keyboard", "tokenized", "secretary"],
)
def test_a_name_that_only_sounds_like_one_is_not(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer " + SECRET,
        "Bot MTA1NjY3ODkwMTIzNDU2Nzg5MA.GabcDe.abcdefghijklmnopqrstuvwxyz0123456789",
        "MTA1NjY3ODkwMTIzNDU2Nzg5MA.GabcDe.abcdefghijklmnopqrstuvwxyz0123456789",
        "postgres://me:correcthorsebatterystaple@db/asterism",
        "https://discord.com/api/webhooks/105667890123456789/correcthorsebatterystaple_correct",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjb3JyZWN0In0.correcthorsebatterystaple",
        "ghp_correcthorsebatterystaple00000000000",
        "asat_correcthorsebatterystaple_-00000000000",
        "asrt_correcthorsebatterystaple_-00000000000",
        "sk-correcthorsebatterystaple",
        "whsec_correcthorsebatterystaple",
        f"?api_key={SECRET}&page=2",
        f'{{"token": "{SECRET}"}}',
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_secret_is_taken_out_of_a_text(text: str) -> None:
    shown = redact(f"before {text} after")
    for part in (SECRET, "GabcDe", "eyJzdWI"):
        assert part not in shown
    assert REDACTED in shown
    assert shown.startswith("before ")
    assert shown.endswith("after")


NAMED = {
    "cookie": "a=correct; b=horse",
    "session_id": "correct",
    "private_key": "correct horse",
    "authorization": "Digest correct",
    "otp": "correct",
    "credentials": "correct:horse",
    "password": "correct horse",
    "dbpassword": "correct",
}


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(NAMED),
        "\n " + json.dumps(NAMED, indent=2),
        json.dumps(json.dumps(NAMED)),
        json.dumps({"text": json.dumps(NAMED)}),
        f"Result: {json.dumps(NAMED)}",
        f"Result: {json.dumps(json.dumps(NAMED))}",
        str(NAMED),
        "\n".join(f"{name}='{value}'" for name, value in NAMED.items()),
        "Cookie: a=correct; b=horse\nAuthorization: Digest correct\nX-Api-Key: correct",
    ],
    ids=["json", "indented", "json in json", "nested", "after words", "escaped after words", "python", "shell", "http"],
)
def test_a_name_in_a_text_gives_its_whole_value_away_however_it_is_written(written: str) -> None:
    shown = redact(written)
    assert not any(word in shown for word in ("correct", "horse"))
    assert redact(shown) == shown


def test_nested_values_of_a_secrets_name_in_json_are_taken_out() -> None:
    assert SECRET not in redact(json.dumps({"credentials": {"user": [SECRET]}, "kept": "é"}))
    assert "é" in redact(json.dumps({"credentials": {"user": [SECRET]}, "kept": "é"}))


@pytest.mark.parametrize(
    "text",
    ['{"total": 3, "name": "A secretary: no token"}', "[1,  2]", '{"author": "me"}', '"words"', "{", '{"a": NaN}'],
)
def test_a_text_without_secrets_stays_as_it_was_written(text: str) -> None:
    assert redact(text) == text


@given(before=WORDS, after=WORDS)
def test_our_own_key_never_stays_in_a_text(before: str, after: str) -> None:
    key = new_key().text
    assert key[12:30] not in redact(f"{before}{key} {after}")


@given(name=NAMES, path=st.lists(st.sampled_from(["list", "dict"]), max_size=10))
def test_a_secret_is_found_at_any_depth(name: str, path: list[str]) -> None:
    value: Any = {name: SECRET}
    for step in path:
        value = [value] if step == "list" else {"inner": value}
    assert SECRET not in json.dumps(redact(value))


@given(JSON)
def test_redacting_twice_is_redacting_once(value: Any) -> None:
    once = redact(value)
    assert repr(redact(once)) == repr(once)


@given(JSON)
def test_what_comes_out_is_json_and_what_went_in_is_unchanged(value: Any) -> None:
    before = repr(value)
    json.dumps(redact(value))
    assert repr(value) == before


def test_nesting_without_end_is_cut_off() -> None:
    value: Any = SECRET
    for _ in range(50_000):
        value = [value]
    assert TOO_DEEP in json.dumps(redact(value))


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "Bearer ",
        "://",
        "password=",
        "a.",
        "eyJ",
        "-----BEGIN PRIVATE KEY-----",
        "token",
        "-",
        "://a:",
        "wiz_",
        "whsec_",
        "a-",
        '"token":"',
        '\\"',
        "'a'='",
        "cookie: a=",
        '["',
    ],
)
def test_hostile_text_takes_no_longer_than_its_length(part: str) -> None:
    text = part * (200_000 // len(part))
    begun = time.perf_counter()
    redact(text)
    assert time.perf_counter() - begun < 3
