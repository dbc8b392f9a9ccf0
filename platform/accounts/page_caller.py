"""Who a page acts for: the signed-in person, or a visitor, as the caller that services take."""

from dataclasses import replace
from importlib import import_module

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user
from django.http import HttpRequest

from accounts.caller import Caller, Door
from accounts.models import User
from accounts.scopes import Scope
from security import request_id


def person(request: HttpRequest) -> User:
    """The signed-in person; for views behind `login_required` only."""
    if not isinstance(request.user, User):
        raise TypeError("This view is reached without signing in; put login_required on it.")
    return request.user


def is_signed_in(request: HttpRequest) -> bool:
    """Whether the request belongs to somebody's session, asked before any middleware looked at it."""
    sessions = import_module(settings.SESSION_ENGINE)
    request.session = sessions.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return get_user(request).is_authenticated


def holds_session(session_key: str | None, user_id: int) -> bool:
    """Whether the session is still the person's: not signed out of, not deactivated, its password not changed."""
    request = HttpRequest()
    request.COOKIES[settings.SESSION_COOKIE_NAME] = session_key or ""
    return is_signed_in(request) and request.session.get(SESSION_KEY) == str(user_id)


def caller(request: HttpRequest) -> Caller:
    """The signed-in person at the pages' door. Pages know no scopes: a person may do to their own what any key may."""
    return _at_the_page(request, person(request).pk, Scope.ADMIN)


def admin_caller(request: HttpRequest) -> Caller:
    """The signed-in person at the admin's door."""
    return replace(caller(request), door=Door.ADMIN)


def visitor(request: HttpRequest) -> Caller:
    """Somebody who has not signed in, reaching no rows."""
    return _at_the_page(request, 0, Scope.READ)


def _at_the_page(request: HttpRequest, user_id: int, scope: Scope) -> Caller:
    return Caller(
        user_id=user_id,
        scope=scope,
        door=Door.PAGE,
        ip=request.META.get("REMOTE_ADDR", ""),
        request_id=request_id.current(),
    )
