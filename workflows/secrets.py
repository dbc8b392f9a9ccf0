"""The secrets of an execution's profile: used by name, and hidden wherever their values would be written or said.

Who writes `${secret.NAME}` in what a tool is given has it replaced when it is sent. A model knows the names alone.
"""

import base64
import html
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

from agents_hub.models import ProfileCredential
from security.encryption import DecryptionError
from security.storable import storable
from workflows.engine.moves import NodeResult
from workflows.graph.filling import as_part_of_url

USE = re.compile(r"\$\{secret\.([^{}]{1,255})\}")
# A shorter value is part of ordinary words; hiding it would take those apart and tell what it is.
SHORTEST = 4
# The same in bytes, for hexadecimal and for pieces of Base64.
SHORTEST_AMID = 8
PERCENT = re.compile(r"%[0-9A-F]{2}")


class UnknownSecret(Exception):  # noqa: N818 - told to the model, which may name another
    """What is named is not there, or not for this node. The message says what is."""


class Secrets:
    """By their names, in upper case. Empty where the execution has no profile."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})
        shown = {
            form: name for name, value in self._values.items() if len(value) >= SHORTEST for form in _forms_of(value)
        }
        # The longest first: a value may be part of another.
        self._shown = {form: shown[form] for form in sorted(shown, key=len, reverse=True)}

    @classmethod
    def of(cls, profile_id: UUID | None) -> "Secrets":
        """Those of the profile, read once for as long as a worker holds the execution."""
        if profile_id is None:
            return cls()
        credentials = ProfileCredential.objects.filter(profile_id=profile_id)
        return cls({credential.name: credential.value for credential in credentials})

    @classmethod
    def readable(cls, profile_id: UUID | None) -> "Secrets":
        """Those that can be opened, to be hidden alone. The others can be neither used nor known."""
        if profile_id is None:
            return cls()
        values: dict[str, str] = {}
        for credential in ProfileCredential.objects.filter(profile_id=profile_id):
            with suppress(DecryptionError):
                values[credential.name] = credential.value
        return cls(values)

    def named_in(self, *texts: str) -> list[str]:
        """The secrets that the texts name, as words of their own; each once."""
        said = "\n".join(texts).upper()
        return [name for name in sorted(self._values) if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said)]

    def value(self, name: str, allowed: list[str]) -> str:
        """The value behind the name, for a tool. Raises `UnknownSecret`."""
        name = name.strip().upper()
        if name not in allowed or name not in self._values:
            raise UnknownSecret(f"There is no secret {name} for this step. {self._there(allowed)}")
        return self._values[name]

    def _there(self, allowed: list[str]) -> str:
        if allowed:
            return f"There are: {', '.join(allowed)}."
        if self._values:
            return "None of those it names is in the profile."
        return "The run has no profile, or one without credentials: start it with agentProfileId."

    def fill(self, given: Any, allowed: list[str]) -> Any:
        """A copy with each `${secret.NAME}` replaced, at any depth. Raises `UnknownSecret`."""
        if isinstance(given, str):
            return USE.sub(lambda match: self.value(match[1], allowed), given)
        if isinstance(given, dict):
            return {self.fill(name, allowed): self.fill(item, allowed) for name, item in given.items()}
        if isinstance(given, list):
            return [self.fill(item, allowed) for item in given]
        return given

    def fill_url(self, url: str, allowed: list[str]) -> str:
        """The same in an address, percent-encoded for where each stands."""
        return USE.sub(lambda match: as_part_of_url(url[: match.start()], self.value(match[1], allowed)), url)

    def hide(self, said: Any) -> Any:
        """A copy, fit to be stored, in which the values read `${secret.NAME}`."""
        return storable(self._hidden(said) if self._shown else said)

    @property
    def longest(self) -> int:
        """The bytes of the longest form of a value."""
        return max((len(form.encode()) for form in self._shown), default=0)

    def hide_between(self, raw: bytes, begin: int, end: int) -> bytes:
        """`raw[begin:end]` with `${secret.NAME}` for each value, also one that begins before or ends after it."""
        forms = {form.encode(): name for form, name in self._shown.items()}
        there = b"|".join(re.escape(form) for form in forms if form in raw)
        if not there:
            return raw[begin:end]
        shown, at = b"", begin
        for match in re.finditer(there, raw):
            if match.end() > begin and match.start() < end:
                shown += raw[at : match.start()] + f"${{secret.{forms[match[0]]}}}".encode()
                at = match.end()
        return shown + raw[at:end]

    def hide_in(self, given: NodeResult) -> NodeResult:
        """The same for all that a node gave."""
        ending = given.ending and replace(
            given.ending, reasoning=self.hide(given.ending.reasoning), result=self.hide(given.ending.result)
        )
        return replace(given, variables=self.hide(given.variables), summary=self.hide(given.summary), ending=ending)

    def _hidden(self, said: Any) -> Any:
        if isinstance(said, str):
            # Looking for each form is many times faster than one pattern of all, and hardly ever is one there.
            there = "|".join(re.escape(form) for form in self._shown if form in said)
            return re.sub(there, lambda match: f"${{secret.{self._shown[match[0]]}}}", said) if there else said
        if isinstance(said, dict):
            return {self._hidden(name): self._hidden(item) for name, item in said.items()}
        if isinstance(said, list | tuple):
            return [self._hidden(item) for item in said]
        if isinstance(said, int | float) and not isinstance(said, bool) and (name := self._shown.get(str(said))):
            return f"${{secret.{name}}}"
        return said


def _forms_of(value: str) -> set[str]:
    """The value as it may come back: as it is, escaped in JSON or HTML, in an address, in hexadecimal, in Base64."""
    raw = value.encode()
    percent = {quote(value), quote(value, safe=""), quote_plus(value)}
    return {
        value,
        *_in_json(value),
        *(inner for outer in _in_json(value) for inner in _in_json(outer)),
        *_in_html(value),
        *percent,
        *(PERCENT.sub(lambda match: match[0].lower(), text) for text in percent),
        *((raw.hex(), raw.hex().upper()) if len(raw) >= SHORTEST_AMID else ()),
        *_in_base64(raw),
    }


def _in_json(text: str) -> set[str]:
    return {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}


def _in_html(text: str) -> set[str]:
    quoted = html.escape(text)
    return {html.escape(text, quote=False), quoted, quoted.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")}


def _in_base64(raw: bytes) -> set[str]:
    """Encoded by itself; and amid other bytes, such as after a name and a colon, without what it shares with those."""
    found = {encode(raw).decode().rstrip("=") for encode in (base64.b64encode, base64.urlsafe_b64encode)}
    if len(raw) < SHORTEST_AMID:
        return found
    for before in (0, 1, 2):
        # Four characters hold three bytes: so many of the first hold bits of what stands before.
        first, whole = (0, 2, 3)[before], (before + len(raw)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(b"\0" * before + raw).decode()[first:whole])
    return found
