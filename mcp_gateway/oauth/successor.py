"""The grace of refresh rotation: the next pair of tokens, sealed so that only whoever holds the last one can open it.

A client that lost the answer to its refresh, or refreshed twice at once, shows the same token again and gets the same
successor, not a second one. Tokens are kept as digests only, so the pair is sealed under a key made from the token it
follows: the database alone opens nothing.
"""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.utils import timezone

from mcp_gateway.models import RefreshToken
from mcp_gateway.models.digests import digest

GRACE = timedelta(seconds=30)
NONCE_BYTES = 12
PURPOSE = b"asterism refresh token successor"


@dataclass(frozen=True, slots=True)
class Pair:
    """What a client was given when its refresh token was rotated."""

    access_token: str
    refresh_token: str
    scope: str
    expires_at: str

    def seconds_left(self, now: datetime) -> int:
        return max(0, int((datetime.fromisoformat(self.expires_at) - now).total_seconds()))


def seal(pair: Pair, predecessor: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(predecessor).encrypt(nonce, json.dumps(asdict(pair)).encode(), None)


def of(row: RefreshToken, text: str) -> Pair | None:
    """What follows the rotated token `text` of `row`, while its grace lasts and the successor is itself unused."""
    if row.successor is None or row.successor_until is None or row.successor_until <= timezone.now():
        return None
    sealed = bytes(row.successor)
    pair = Pair(**json.loads(_cipher(text).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)))
    unused = RefreshToken.objects.filter(
        token_checksum=digest(pair.refresh_token), revoked__isnull=True, access_token__isnull=False
    )
    return pair if unused.exists() else None


def _cipher(predecessor: str) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, None, PURPOSE).derive(predecessor.encode()))
