"""Who calls the REST API, by an API key in one of two headers; and how often a key may."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts import page_caller
from accounts.caller import Caller, Door
from accounts.errors import Throttled
from accounts.services import keys
from accounts.services.keys import VerifiedKey
from security import request_id
from security.throttle import Limit

KEY_HEADER = "X-Asteroid-Agents-Api-Key"
MINUTE_SECONDS = 60


class KeyAuthentication(BaseAuthentication):
    """`request.auth` is the `Caller`. A key is looked up each time, so that a revoked one ends with its revocation."""

    def authenticate(self, request: Request) -> tuple[VerifiedKey, Caller]:
        text = _shown_key(request)
        key = keys.verify(text)
        if key is None:
            raise AuthenticationFailed(
                "This API key is not valid: it is mistyped, unknown, expired or revoked, or its person was deactivated."
                f" Keys are made at {settings.PUBLIC_URL}/dashboard/settings."
            )
        keys.touch(key.key_id)
        return key, Caller(
            user_id=key.user_id,
            scope=key.scope,
            door=Door.REST,
            api_key_id=key.key_id,
            ip=request.META.get("REMOTE_ADDR", ""),
            request_id=request_id.current(),
        )

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="asterism"'


class KeyOrSession(KeyAuthentication):
    """A key, or else the session of whoever is signed in, with the CSRF token in its header."""

    def authenticate(self, request: Request) -> tuple[Any, Caller]:
        signed_in = request._request.user.is_authenticated
        if not signed_in or KEY_HEADER in request.headers or "Authorization" in request.headers:
            return super().authenticate(request)
        # What the framework wraps would be read as a form; a JSON body holds no token.
        SessionAuthentication().enforce_csrf(request._request)  # type: ignore[arg-type]  # what it wants is a request
        return request._request.user, replace(page_caller.caller(request._request), door=Door.REST)


class KeyThrottle(BaseThrottle):
    """So many requests a minute from one key or person; 0 in the settings leaves the counting to a proxy."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        most = settings.REST_RATE_PER_MINUTE
        who = caller_of(request)
        counted = f"person {who.user_id}" if who.api_key_id is None else str(who.api_key_id)
        wait = Limit("REST by key", most, MINUTE_SECONDS).hit(counted) if most else 0
        if wait:
            raise Throttled(
                f"More than {most} requests in a minute with one key. Try again in {wait} seconds.",
                data={"retry_after": wait},
            )
        return True


def caller_of(request: Request) -> Caller:
    """Who was let in."""
    caller: Any = request.auth
    if not isinstance(caller, Caller):
        raise TypeError("This view is reached without a key; let KeyAuthentication guard it.")
    return caller


def still_holds(request: Request) -> Callable[[], bool]:
    """Whether what the request was let in by holds, to be asked later on, while its answer goes on."""
    if caller_of(request).api_key_id is None:
        session_key, user_id = request._request.session.session_key, caller_of(request).user_id
        return lambda: page_caller.holds_session(session_key, user_id)
    text = _shown_key(request)
    return lambda: keys.verify(text) is not None


def shows_a_key(request: HttpRequest) -> bool:
    """Whether the request would be let in, asked before its body is read."""
    try:
        return keys.verify(_shown_key(request)) is not None
    except APIException:
        return False


def _shown_key(request: Request | HttpRequest) -> str:
    own, authorization = request.headers.get(KEY_HEADER), request.headers.get("Authorization")
    if own is not None:
        return own.strip()
    if authorization is None:
        raise NotAuthenticated(f"Send an API key as `{KEY_HEADER}: wiz_…` or `Authorization: Bearer wiz_…`.")
    kind, _, text = authorization.partition(" ")
    if kind.lower() != "bearer":
        raise AuthenticationFailed("The Authorization header is not of the form `Bearer wiz_…`.")
    return text.strip()
