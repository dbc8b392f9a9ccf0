"""Whether what a person filled in is what a server asked for, by the schemas that the protocol allows for questions:
flat fields of text, numbers, yes or no, and choices (MCP, “Elicitation”, requested schema).

Only what that subset knows is looked at. A pattern is not: it is somebody else's program for our processor.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

Schema = Mapping[str, Any]


def options(described: Schema) -> list[tuple[Any, str]]:
    """The values that can be chosen among, each with its title where it has one; none where anything can be written."""
    if isinstance(values := described.get("enum"), list) and values:
        titles = described.get("enumNames")
        named = titles if isinstance(titles, list) and len(titles) == len(values) else [""] * len(values)
        return [(value, str(title or "")) for value, title in zip(values, named, strict=True)]
    if "const" in described:
        return [(described["const"], str(described.get("title") or ""))]
    for word in ("oneOf", "anyOf"):
        listed = described.get(word)
        if isinstance(listed, list) and listed and all(isinstance(one, Mapping) and "const" in one for one in listed):
            return [(one["const"], str(one.get("title") or "")) for one in listed]
    return []


def items_of(described: Schema) -> list[tuple[Any, str]]:
    """The same of a list of which several can be chosen."""
    items = described.get("items")
    return options(items) if described.get("type") == "array" and isinstance(items, Mapping) else []


def faults(schema: Schema, content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What does not fit: the field's name, and what to do about it."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return
    required = schema.get("required")
    for name in required if isinstance(required, list) else []:
        if isinstance(name, str) and name in properties and name not in content:
            yield name, "This field is required."
    for name, described in properties.items():
        if name in content and isinstance(described, Mapping) and (said := _fault(described, content[name])):
            yield name, said


def _fault(described: Schema, value: Any) -> str:
    if allowed := options(described):
        return "" if _among(value, allowed) else "Choose one of the values offered."
    check = _CHECKS.get(str(described.get("type")))
    return check(described, value) if check else ""


def _text(described: Schema, value: Any) -> str:
    if not isinstance(value, str):
        return "Write a text."
    least, most = described.get("minLength"), described.get("maxLength")
    if isinstance(least, int) and len(value) < least:
        return f"Write at least {least} character{'' if least == 1 else 's'}."
    if isinstance(most, int) and len(value) > most:
        return f"Write at most {most} character{'' if most == 1 else 's'}."
    is_form, said = _FORMATS.get(str(described.get("format")), (_anything, ""))
    return "" if is_form(value) else said


def _number(described: Schema, value: Any) -> str:
    whole = described.get("type") == "integer"
    if isinstance(value, bool) or not isinstance(value, int | float) or (whole and value != int(value)):
        return f"Write a {'whole ' if whole else ''}number."
    for word, beyond, said in _LIMITS:
        limit = described.get(word)
        if isinstance(limit, int | float) and not isinstance(limit, bool) and beyond(value, limit):
            return f"Write a number {said} {limit}."
    return ""


def _yes_or_no(described: Schema, value: Any) -> str:
    return "" if isinstance(value, bool) else "Choose yes or no."


def _several(described: Schema, value: Any) -> str:
    if not isinstance(value, list):
        return "Give a list."
    allowed = items_of(described)
    if allowed and not all(_among(one, allowed) for one in value):
        return "Choose among the values offered."
    least, most = described.get("minItems"), described.get("maxItems")
    if isinstance(least, int) and len(value) < least:
        return f"Choose at least {least}."
    if isinstance(most, int) and len(value) > most:
        return f"Choose at most {most}."
    return ""


def _among(value: Any, allowed: Sequence[tuple[Any, str]]) -> bool:
    """True is no 1 here."""
    return any(type(value) is type(one) and value == one for one, _ in allowed)


def _anything(value: str) -> bool:
    return True


def _is_email(value: str) -> bool:
    try:
        EmailValidator()(value)
    except ValidationError:
        return False
    return True


def _is_uri(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and not any(letter.isspace() for letter in value)


def _is_date(value: str) -> bool:
    try:
        return len(value) == len("2026-03-01") and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _is_time(value: str) -> bool:
    """By RFC 3339, which wants an offset."""
    try:
        return "T" in value.upper() and datetime.fromisoformat(value.upper()).tzinfo is not None
    except ValueError:
        return False


_CHECKS: dict[str, Callable[[Schema, Any], str]] = {
    "string": _text,
    "number": _number,
    "integer": _number,
    "boolean": _yes_or_no,
    "array": _several,
}
_FORMATS: dict[str, tuple[Callable[[str], bool], str]] = {
    "email": (_is_email, "Write an e-mail address, such as ada@example.com."),
    "uri": (_is_uri, "Write an address, such as https://example.com."),
    "date": (_is_date, "Write a day, such as 2026-03-01."),
    "date-time": (_is_time, "Write a day and time with its offset, such as 2026-03-01T12:00:00Z."),
}
_LIMITS: tuple[tuple[str, Callable[[float, float], bool], str], ...] = (
    ("minimum", lambda value, limit: value < limit, "from"),
    ("maximum", lambda value, limit: value > limit, "up to"),
    ("exclusiveMinimum", lambda value, limit: value <= limit, "above"),
    ("exclusiveMaximum", lambda value, limit: value >= limit, "below"),
)
