"""Identifiers that may be shown: UUIDs of version 7 (RFC 9562), which sort by when they were made."""

from uuid import UUID

from uuid_utils import compat


def uuid7() -> UUID:
    return compat.uuid7()
