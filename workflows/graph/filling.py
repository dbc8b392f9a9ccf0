"""Putting values where placeholders stand: in plain text, in JSON, and in an address. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from workflows.clipping import cut
from workflows.graph.placeholders import PLACEHOLDER, Reference

# What of an object a message names at most.
MOST_NAMED = 10
# An address up to the end of its host and port.
UP_TO_HOST = re.compile(r"[^/?#]*(?:://[^/?#]*)?")
IN_HOST = ":[]"
DOTS = {".": "%2E", "..": "%2E%2E"}


class NoValue(Exception):  # noqa: N818 - the run's failure, in words for people
    """A placeholder names what is not there. The message says which, and what there is."""


def fill(text: str, values: Mapping[str, Any], *, most: int | None = None) -> str:
    """The text with each placeholder replaced: by texts as they are, by anything else as JSON. Raises `NoValue`.

    Of one value at most `most` characters are put in, with a remark where it was cut.
    """
    return PLACEHOLDER.sub(lambda match: cut(as_text(value_of(Reference.of(match), values)), most), text)


def fill_json(given: Any, values: Mapping[str, Any]) -> Any:
    """A copy with the placeholders in all its texts and names replaced. A text that is one placeholder becomes the
    value itself: a number stays a number, an object an object. Raises `NoValue`."""
    if isinstance(given, str):
        whole = PLACEHOLDER.fullmatch(given)
        return value_of(Reference.of(whole), values) if whole else fill(given, values)
    if isinstance(given, dict):
        return {fill(name, values): fill_json(inner, values) for name, inner in given.items()}
    if isinstance(given, list):
        return [fill_json(inner, values) for inner in given]
    return given


def fill_url(url: str, values: Mapping[str, Any]) -> str:
    """The address with each placeholder replaced, percent-encoded for where it stands. Raises `NoValue`."""
    return PLACEHOLDER.sub(
        lambda match: as_part_of_url(url[: match.start()], as_text(value_of(Reference.of(match), values))), url
    )


def as_part_of_url(before: str, value: str) -> str:
    """The value as it stands in an address after `before`: it adds no segment, no parameter and no fragment.

    An address that begins with the value has it as it is, for it may be a whole address. In a host it may have a port.
    """
    if not before:
        return value
    if UP_TO_HOST.fullmatch(before):
        return quote(value, safe=IN_HOST)
    return DOTS.get(value) or quote(value, safe="")


def value_of(reference: Reference, values: Mapping[str, Any]) -> Any:
    """What the placeholder names. Raises `NoValue`."""
    if reference.name not in values:
        raise NoValue(f"{reference} has no value: no input and no variable is called {reference.name}.")
    here, way = values[reference.name], reference.name
    for part in reference.path:
        match here:
            case dict() if part in here:
                here = here[part]
            case list() if part.isdecimal() and int(part) < len(here):
                here = here[int(part)]
            case _:
                raise NoValue(f"{reference} has no value: {way} {_what_it_is(here)}.")
        way = f"{way}.{part}"
    return here


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _what_it_is(value: Any) -> str:
    match value:
        case dict():
            names = ", ".join(list(map(str, value))[:MOST_NAMED]) or "nothing"
            return f"has {names}" + (f" and {len(value) - MOST_NAMED} more" if len(value) > MOST_NAMED else "")
        case list():
            return f"is a list of {len(value)}, numbered from 0"
        case None:
            return "is null"
    return "is a single value, without parts"
