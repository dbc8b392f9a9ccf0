"""Making what strangers send fit for PostgreSQL's text and JSON, which cannot hold all that Python and JSON can."""

import math
from typing import Any


def storable(value: Any) -> Any:
    """The value without NUL, lone surrogates, NaN and the infinities."""
    if isinstance(value, str):
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value
