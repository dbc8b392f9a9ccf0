"""The secrets of an execution's profile: used by name, and hidden wherever their values would be written or said.

Who writes `${secret.NAME}` in what a tool is given has it replaced when it is sent. A model knows the names alone.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

from agents_hub.models import ProfileCredential
from security.storable import storable
from workflows.engine.moves import NodeResult

USE = re.compile(r"\$\{secret\.([^{}]{1,255})\}")
# A shorter value is part of ordinary words; hiding it would take those apart and tell what it is.
SHORTEST = 4


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
        forms = sorted(shown, key=len, reverse=True)
        self._shown = shown
        self._pattern = re.compile("|".join(map(re.escape, forms))) if forms else None

    @classmethod
    def of(cls, profile_id: UUID | None) -> "Secrets":
        """Those of the profile, read once for as long as a worker holds the execution."""
        if profile_id is None:
            return cls()
        credentials = ProfileCredential.objects.filter(profile_id=profile_id)
        return cls({credential.name: credential.value for credential in credentials})

    def named_in(self, *texts: str) -> list[str]:
        """The secrets that the texts name, as words of their own; each once."""
        said = "\n".join(texts).upper()
        return [name for name in sorted(self._values) if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said)]

    def value(self, name: str, allowed: list[str]) -> str:
        """The value behind the name, for a tool. Raises `UnknownSecret`."""
        name = name.strip().upper()
        if name not in allowed or name not in self._values:
            there = f"There are: {', '.join(allowed)}." if allowed else "None of those it names is in the profile."
            raise UnknownSecret(f"There is no secret {name} for this step. {there}")
        return self._values[name]

    def fill(self, given: Any, allowed: list[str]) -> Any:
        """A copy with each `${secret.NAME}` replaced, at any depth. Raises `UnknownSecret`."""
        if isinstance(given, str):
            return USE.sub(lambda match: self.value(match[1], allowed), given)
        if isinstance(given, dict):
            return {self.fill(name, allowed): self.fill(item, allowed) for name, item in given.items()}
        if isinstance(given, list):
            return [self.fill(item, allowed) for item in given]
        return given

    def hide(self, said: Any) -> Any:
        """A copy, fit to be stored, in which the values read `${secret.NAME}`."""
        return storable(said if self._pattern is None else self._hidden(said))

    def hide_in(self, given: NodeResult) -> NodeResult:
        """The same for all that a node gave."""
        ending = given.ending and replace(
            given.ending, reasoning=self.hide(given.ending.reasoning), result=self.hide(given.ending.result)
        )
        return replace(given, variables=self.hide(given.variables), summary=self.hide(given.summary), ending=ending)

    def _hidden(self, said: Any) -> Any:
        if isinstance(said, str):
            assert self._pattern is not None
            return self._pattern.sub(lambda match: f"${{secret.{self._shown[match[0]]}}}", said)
        if isinstance(said, dict):
            return {self._hidden(name): self._hidden(item) for name, item in said.items()}
        if isinstance(said, list | tuple):
            return [self._hidden(item) for item in said]
        return said


def _forms_of(value: str) -> set[str]:
    """The value as it may come back: as it is, in an address, in Base64."""
    raw = value.encode()
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    return {value, quote(value), quote(value, safe=""), quote_plus(value), *(text.rstrip("=") for text in encoded)}
