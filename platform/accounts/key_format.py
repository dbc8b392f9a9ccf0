"""What an API key looks like: `wiz_`, 8 characters to look it up, 18 secret ones and 6 of checksum, all base62.

The checksum is the CRC32 of what stands before it, so a mistyped key is refused without asking the database, and a
scanner can tell a key from chance. 18 characters of base62 are 107 random bits; a plain SHA-256 of them cannot be
searched, which is why keys need no slow password hash.
"""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass

PREFIX = "wiz_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
LOOKUP_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 8, 18, 6
SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{LOOKUP_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key in clear. Its repr is safe to log."""

    text: str

    def __repr__(self) -> str:
        return f"KeyText({PREFIX}{self.lookup}…)"

    @property
    def lookup(self) -> str:
        return self.text[len(PREFIX) : len(PREFIX) + LOOKUP_LENGTH]

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()


def new_key() -> KeyText:
    """A key nobody has had before."""
    body = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(LOOKUP_LENGTH + SECRET_LENGTH))
    return KeyText(body + checksum(body))


def read_key(text: str) -> KeyText | None:
    """The key in `text`, or nothing where the shape or the checksum is wrong."""
    if not SHAPE.fullmatch(text) or checksum(text[:-CHECKSUM_LENGTH]) != text[-CHECKSUM_LENGTH:]:
        return None
    return KeyText(text)


def checksum(body: str) -> str:
    """The CRC32 of `body` as six base62 digits, the most significant first."""
    rest = zlib.crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
