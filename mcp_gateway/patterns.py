"""Regular expressions that people write, matched in time that grows with the text alone.

Python's own engine goes back and tries again: a short pattern such as `^(a+)+$` keeps it at work for days. The one that
pydantic brings (Rust's) never goes back, and has no look-around and no back-references for it.
"""

from functools import lru_cache
from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError


def is_usable(pattern: str) -> bool:
    """Whether it is a regular expression that can be matched here."""
    try:
        _compiled(pattern)
    except SchemaError:
        return False
    return True


def is_within(pattern: str, text: str) -> bool:
    """Whether a part of the text matches (JSON Schema, Validation, section 6.3.3); nothing does a pattern of no use."""
    try:
        _compiled(pattern).validate_python(text)
    except (ValidationError, SchemaError):
        return False
    return True


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
