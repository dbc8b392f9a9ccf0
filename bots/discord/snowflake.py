"""Discord's ids: 64-bit integers in rows, decimal strings in JSON, with their moment of creation inside.

https://discord.com/developers/docs/reference#snowflakes
"""

from datetime import UTC, datetime, timedelta
from typing import NewType

Snowflake = NewType("Snowflake", int)

# Milliseconds from the Unix epoch to the first second of 2015, where Discord's ids begin.
EPOCH_MS = 1_420_070_400_000
# A snowflake is unsigned, a bigint is signed: the sign bit stays clear until the year 2084.
MAXIMUM = 2**63 - 1
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse(text: str) -> Snowflake:
    """The id in `text`, which holds decimal digits and nothing else; ValueError says what is wrong otherwise."""
    # str.isdigit also accepts other scripts' digits, which int() would quietly translate.
    if not (text.isascii() and text.isdigit() and len(text) <= 19) or (text[0] == "0" and text != "0"):
        raise ValueError(f"{text[:40]!r} is not a Discord id; one is 17 to 19 digits, such as 175928847299117063.")
    number = int(text)
    if number > MAXIMUM:
        raise ValueError(f"{text} is larger than any Discord id can be ({MAXIMUM}).")
    return Snowflake(number)


def text(snowflake: int) -> str:
    """The id as JSON carries it. Numbers of this size lose digits in JavaScript."""
    return str(int(snowflake))


def created_at(snowflake: int) -> datetime:
    """When Discord made the id, to the millisecond, in UTC."""
    return _UNIX_EPOCH + timedelta(milliseconds=(int(snowflake) >> 22) + EPOCH_MS)


def at(moment: datetime, *, sequence: int = 0) -> Snowflake:
    """The id of `moment`: the lowest of its millisecond, or its `sequence`-th (0 to 4,194,303)."""
    milliseconds = (moment - _UNIX_EPOCH) // timedelta(milliseconds=1) - EPOCH_MS
    if milliseconds < 0:
        raise ValueError(f"{moment.isoformat()} lies before 2015, where Discord's ids begin.")
    return Snowflake((milliseconds << 22) | (sequence & 0x3FFFFF))
