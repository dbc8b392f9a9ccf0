"""One request to Discord and back: address, headers, attempts, pace, and the size of what is read.

An attempt that fails before anything was sent, or that Discord answers with 429 or 5xx, is made again while the
caller's patience lasts. The callers' requests are all of a kind that may arrive twice.
"""

import functools
import ipaddress
import json
import os
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.errors import Invalid
from bots.discord.rest.errors import DiscordError, DiscordRateLimited, DiscordUnavailable
from bots.discord.rest.pace import Pace, read_report
from bots.discord.rest.routes import Route
from bots.models.rate_limits import Report

# https://discord.com/developers/docs/reference#user-agent; Discord's edge blocks requests of another form.
USER_AGENT_FORM = "DiscordBot ({url}, {version})"
API_VERSION = 10
MAX_REASON_CHARACTERS = 512
# A guild with 250 roles and its emojis comes to some 300 KB; more than this is not an answer of Discord's.
MAX_BODY_BYTES = 4 * 1024 * 1024
TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
# From sending to the last byte. A claimed place in a rate limit outlives it (rate_limits.LEASE_SECONDS).
DEADLINE_SECONDS = 20.0
MAX_ATTEMPTS = 4
# What a header can carry; Discord publishes no form for its tokens.
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """Discord's last word: the JSON `body` of a success, or the `refusal`.

    `earlier_attempt_lost` says that an attempt before this one may have been carried out.
    """

    body: Any
    refusal: DiscordError | None
    earlier_attempt_lost: bool


class Transport:
    """Sends one bot's requests to `base_url`; safe to use from several threads."""

    def __init__(self, token: str, *, base_url: str, patience: float) -> None:
        if not _TOKEN.fullmatch(token):
            raise Invalid(
                "This is not a bot's token: it holds spaces or letters that none has. Copy it again from the page Bot "
                "of the application in Discord's developer portal.",
                code="token_malformed",
            )
        self._base_url = checked_base_url(base_url)
        self._authorization = f"Bot {token}"
        self._pace = Pace(token)
        self._patience = patience

    def send(
        self, where: Route, *, query: Mapping[str, str] | None, body: Mapping[str, Any] | None, reason: str
    ) -> Answer:
        """Discord's answer, or `DiscordRateLimited` / `DiscordUnavailable` when there was none in time."""
        patience_ends = time.monotonic() + self._patience
        lost = False
        problem = "nothing was tried"
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                outcome = self._attempt(where, query=query, body=body, reason=reason, patience_ends=patience_ends)
            except DiscordRateLimited:
                if not lost:
                    raise
                break
            match outcome:
                case _Response(status=429, rate_limit=Report(retry_after=float(retry_after))):
                    if attempt < MAX_ATTEMPTS and time.monotonic() + retry_after <= patience_ends:
                        continue  # The next claim waits as long as this answer said.
                    if not lost:
                        raise DiscordRateLimited(retry_after=retry_after)
                    break
                case _Response(status=status) if status >= 500:
                    lost, problem = True, f"it answered {status}"
                case _Response(status=status) if not 200 <= status < 300:
                    return Answer(None, _refusal(outcome), lost)
                case _Response():
                    return Answer(outcome.json, None, lost)
                case _Silence():
                    lost, problem = lost or outcome.sent, outcome.problem
            pause = 0.25 * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311 - it spreads, it guards nothing
            if attempt == MAX_ATTEMPTS or time.monotonic() + pause > patience_ends:
                break
            time.sleep(pause)
        raise DiscordUnavailable(
            f"Discord could not be reached: {problem}. "
            + ("It may have been done all the same." if lost else "Nothing was done; try again."),
            outcome_unknown=lost,
        )

    def _attempt(
        self,
        where: Route,
        *,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        reason: str,
        patience_ends: float,
    ) -> "_Response | _Silence":
        """One request, in a place claimed for it."""
        place = self._pace.claim(where, until=patience_ends)
        rate_limit, sent = None, True
        try:
            response = self._exchange(where, query=query, body=body, reason=reason)
            rate_limit = response.rate_limit
            return response
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            sent = False
            return _Silence("no connection", sent)
        except httpx2.TimeoutException:
            return _Silence("it took too long", sent)
        except (httpx2.RequestError, _BodyTooLargeError):
            return _Silence("its answer broke off or was none of its own", sent)
        finally:
            self._pace.give_back(place, rate_limit, sent=sent)

    def _exchange(
        self, where: Route, *, query: Mapping[str, str] | None, body: Mapping[str, Any] | None, reason: str
    ) -> "_Response":
        headers = {"Authorization": self._authorization}
        if reason:
            headers["X-Audit-Log-Reason"] = quote(reason[:MAX_REASON_CHARACTERS], safe="")
        request = _connections().build_request(
            where.method,
            self._base_url + where.path,
            params=query,
            headers=headers,
            json=body,
        )
        deadline = time.monotonic() + DEADLINE_SECONDS
        response = _connections().send(request, stream=True)
        try:
            content = bytearray()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MAX_BODY_BYTES:
                    raise _BodyTooLargeError
                if time.monotonic() > deadline:
                    raise httpx2.ReadTimeout("the answer did not end in time", request=request)
        finally:
            response.close()
        answer = _json_or_none(bytes(content))
        rate_limit = read_report(response.status_code, response.headers, answer)
        return _Response(response.status_code, answer, rate_limit)


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    json: Any
    rate_limit: Report


@dataclass(frozen=True, slots=True)
class _Silence:
    """No answer; `sent` says whether Discord may have received the request."""

    problem: str
    sent: bool


class _BodyTooLargeError(Exception):
    """The answer passed the size that is read."""


def checked_base_url(url: str) -> str:
    """`url` without its last slash; a bot's token travels to it, so anything but https needs a loopback address."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url.rstrip("/")
    if parts.scheme == "http" and _is_loopback(parts.hostname or "") and not settings.PRODUCTION:
        return url.rstrip("/")
    raise ImproperlyConfigured(
        f"DISCORD_API_URL is {url!r}. It begins with https://, or, outside production, names a sandbox on this "
        "machine, such as http://127.0.0.1:8100/api/v10."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def new_connections() -> httpx2.Client:
    """A pool of connections that takes no proxy from the environment and follows no redirects."""
    agent = USER_AGENT_FORM.format(url=settings.PUBLIC_URL or "https://localhost", version=API_VERSION)
    return httpx2.Client(headers={"User-Agent": agent}, timeout=TIMEOUT, trust_env=False, follow_redirects=False)


_connections = functools.cache(new_connections)
# A forked worker must not write into its parent's open connections.
os.register_at_fork(after_in_child=_connections.cache_clear)


def _json_or_none(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None


def _refusal(response: _Response) -> DiscordError:
    body = response.json if isinstance(response.json, dict) else {}
    code = body.get("code")
    return DiscordError(
        status=response.status,
        discord_code=code if isinstance(code, int) else 0,
        reason=str(body.get("message") or f"HTTP status {response.status}")[:300],
        fields=dict(_field_errors(body.get("errors"))),
    )


def _field_errors(errors: Any, path: str = "") -> list[tuple[str, str]]:
    """The leaves of Discord's nested `errors`, as (dotted field, complaint)."""
    if not isinstance(errors, dict):
        return []
    found = [
        (path or "body", str(each.get("message", ""))[:300])
        for each in errors.get("_errors", [])
        if isinstance(each, dict)
    ]
    for name, below in errors.items():
        if name != "_errors":
            found += _field_errors(below, f"{path}.{name}" if path else str(name))
    return found
