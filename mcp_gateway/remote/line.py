"""The HTTP client as the protocol's library sees it: it gets answers only, and we see why a request failed.

The library ends a whole session when one of its requests cannot be sent, and tells all refusals apart by nothing but a
JSON-RPC code. So a failure becomes an answer here, which ends that one request, and the facts are kept for whoever
asked: the library sends each request in the context of the task that made it.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpx2

_NO_ID = re.compile(rb'"id"\s*:\s*null')
# What stands in for an answer that never came.
NO_ANSWER = 502


@dataclass(slots=True)
class Witness:
    """What came of the HTTP requests that one step of the protocol made: the last answer, or why there was none."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    location: str | None = None
    failure: Exception | None = None

    @property
    def unused(self) -> bool:
        return self.status is None and self.failure is None

    def answered(self, response: httpx2.Response) -> None:
        self.status, self.headers, self.failure = response.status_code, response.headers, None
        self.content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.location = response.next_request.url.host if response.next_request is not None else None

    def failed(self, failure: Exception) -> None:
        self.failure = failure


_witness: ContextVar[Witness | None] = ContextVar("remote_witness", default=None)


@contextlib.contextmanager
def witnessing() -> Iterator[Witness]:
    """The witness of all requests made inside, also those the library makes in tasks of its own."""
    witness = Witness()
    token = _witness.set(witness)
    try:
        yield witness
    finally:
        _witness.reset(token)


class Line:
    """What the library uses of a client, over a guarded one that several sessions may share.

    The credential's headers are added here, under those that the protocol sets itself.
    """

    def __init__(self, client: httpx2.AsyncClient, headers: Mapping[str, str]) -> None:
        self._client = client
        self._headers = dict(headers)

    @property
    def max_redirects(self) -> int:
        return self._client.max_redirects

    def build_request(self, method: str, url: httpx2.URL | str, *, headers: Any = None, **options: Any) -> Any:
        merged = httpx2.Headers(self._headers)
        merged.update(headers)
        return self._client.build_request(method, url, headers=merged, **options)

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        witness = _witness.get()
        # A stream opened in the background, as old servers have, says nothing about what is being asked.
        if witness is not None and request.method != "POST" and not witness.unused:
            witness = None
        try:
            response = await self._client.send(request, stream=True, **options)
            if witness is not None:
                witness.answered(response)
            if not is_event_stream(response):
                await _read(response)
                return _for_this_request(response)
        except httpx2.HTTPError as failure:
            if witness is not None:
                witness.failed(failure)
            return httpx2.Response(NO_ANSWER, request=request)
        return response


async def _read(response: httpx2.Response) -> None:
    try:
        await response.aread()
    finally:
        await response.aclose()


def _for_this_request(response: httpx2.Response) -> httpx2.Response:
    """The answer, such that the library takes an error without an id for this request's, and does not wait on."""
    if response.status_code == 200 and _NO_ID.search(response.content) and b'"error"' in response.content:
        return httpx2.Response(
            400, headers={"Content-Type": "application/json"}, content=response.content, request=response.request
        )
    return response


def is_event_stream(response: httpx2.Response) -> bool:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/event-stream"
