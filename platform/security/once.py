"""Forms that act once: each carries a token that its first sending uses up, so that a reload repeats nothing."""

import secrets

from django.http import HttpRequest

SESSION_KEY = "unsent_forms"
# More open tabs than this, and the oldest has to be loaded again.
MOST_OPEN = 50


def issue(request: HttpRequest) -> str:
    """A new token for a form about to be shown."""
    token = secrets.token_urlsafe(12)
    request.session[SESSION_KEY] = [*request.session.get(SESSION_KEY, []), token][-MOST_OPEN:]
    return token


def spend(request: HttpRequest, token: str) -> bool:
    """Whether this form is sent for the first time; from now on it was."""
    unsent = request.session.get(SESSION_KEY, [])
    if token not in unsent:
        return False
    request.session[SESSION_KEY] = [other for other in unsent if other != token]
    return True
