"""What our tokens look like: a word that tells scanners and redaction what they are, and 256 random bits."""

import secrets

from oauthlib.common import Request

ACCESS = "asat_"
REFRESH = "asrt_"


def new_access_token(request: Request, refresh_token: bool = False) -> str:
    return ACCESS + secrets.token_urlsafe(32)


def new_refresh_token(request: Request, refresh_token: bool = True) -> str:
    return REFRESH + secrets.token_urlsafe(32)
