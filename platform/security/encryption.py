"""Secrets at rest: AES-256-GCM under keys that rotate, with what the secret belongs to bound in.

A sealed secret is one format byte, four bytes that name its key, twelve of nonce, and the ciphertext with its tag
(NIST SP 800-38D). A key's name is the start of its SHA-256, so keys need no numbering: a new one is put in front.
"""

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

FORMAT = b"\x01"
KEY_BYTES, NAME_BYTES, NONCE_BYTES = 32, 4, 12
HEAD_BYTES = len(FORMAT) + NAME_BYTES + NONCE_BYTES


class DecryptionError(Exception):
    """A sealed secret cannot be opened: its key is gone, or it was changed or moved to another row."""


def new_key() -> str:
    """A fresh key as ENCRYPTION_KEYS takes it."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


@dataclass(frozen=True)
class Keyring:
    """The keys by name. The newest seals; all of them open."""

    newest: bytes
    ciphers: dict[bytes, AESGCM]

    def seal(self, plain: str, bound_to: bytes) -> bytes:
        """`plain` encrypted under the newest key; it opens only with the same `bound_to`."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self.ciphers[self.newest].encrypt(nonce, plain.encode(), bound_to)
        return FORMAT + self.newest + nonce + sealed

    def open(self, sealed: bytes, bound_to: bytes) -> str:
        name = key_name(sealed)
        cipher = self.ciphers.get(name)
        if sealed[:1] != FORMAT or cipher is None:
            raise DecryptionError(
                f"A stored secret was sealed with the key {name.hex()}, which ENCRYPTION_KEYS does not hold. Add it."
            )
        try:
            return cipher.decrypt(sealed[HEAD_BYTES - NONCE_BYTES : HEAD_BYTES], sealed[HEAD_BYTES:], bound_to).decode()
        except InvalidTag:
            raise DecryptionError(
                "A stored secret does not belong to the row it was found in, or was changed. Enter the secret again."
            ) from None


def key_name(sealed: bytes) -> bytes:
    """The name of the key a secret was sealed with."""
    return sealed[len(FORMAT) : len(FORMAT) + NAME_BYTES]


def keyring() -> Keyring:
    """The keyring of the settings."""
    return _keyring(tuple(settings.ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def _keyring(keys: tuple[str, ...]) -> Keyring:
    if not keys:
        raise ImproperlyConfigured(
            "ENCRYPTION_KEYS is not set, so secrets cannot be stored. `manage.py up` writes one to var/; "
            "elsewhere set it to 32 random bytes in base64, the newest key first."
        )
    raw_keys = [_raw(key) for key in keys]
    names = [hashlib.sha256(raw).digest()[:NAME_BYTES] for raw in raw_keys]
    return Keyring(names[0], dict(zip(names, map(AESGCM, raw_keys), strict=True)))


def _raw(key: str) -> bytes:
    try:
        raw = base64.b64decode(key.replace("-", "+").replace("_", "/") + "=" * (-len(key) % 4), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise ImproperlyConfigured("A key in ENCRYPTION_KEYS is not 32 bytes in base64.")
    return raw
