"""Identifiers that may be shown: UUIDs of version 7 (RFC 9562), which sort by when they were made; and named ones."""

import hashlib
from uuid import UUID

from uuid_utils import compat


def uuid7() -> UUID:
    return compat.uuid7()


def uuid_or_none(text: str) -> UUID | None:
    """The UUID written there, if one is."""
    try:
        return UUID(text)
    except ValueError:
        return None


def uuid_named(name: str) -> UUID:
    """The same UUID for the same name: of version 8 (RFC 9562 section 5.8), with bits of the name's SHA-256."""
    bits = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big")
    return UUID(int=bits & ~(0xF000 << 64) & ~(0xC000 << 48) | 0x8000 << 64 | 0x8000 << 48)
