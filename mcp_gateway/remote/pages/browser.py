"""Which browser it is: a secret in its session, of which a sign-in keeps a digest, so that no other can finish it."""

import hashlib
import secrets

from django.http import HttpRequest

KEY = "remote_sign_in"


def session_digest(request: HttpRequest) -> bytes:
    """The digest of this browser's secret, made with the first question for it."""
    secret = request.session.get(KEY)
    if not isinstance(secret, str):
        secret = request.session[KEY] = secrets.token_urlsafe(32)
    return hashlib.sha256(secret.encode()).digest()
