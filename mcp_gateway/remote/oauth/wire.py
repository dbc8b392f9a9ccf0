"""How a provider is asked: through the guard, in small answers and little time, with the client's proof of itself."""

import base64
import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, quote

import httpx2
from mcp_types.version import LATEST_MODERN_VERSION

from mcp_gateway.remote.oauth.provider import Client
from security import outbound
from security.outbound import Bounds

# A document about a provider, or an answer with tokens: the largest known are some 30 kB.
LARGEST_BYTES = 262_144
BOUNDS = Bounds(connect=5, read=10, total=20, wire_bytes=LARGEST_BYTES, body_bytes=LARGEST_BYTES)
JSON = "application/json"
LONGEST_WORD = 300
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
# What is said with a question about metadata: the newest revision we speak.
PROTOCOL_VERSION = LATEST_MODERN_VERSION


async def ask(url: str, *, headers: Mapping[str, str] | None = None, redirects: int = 3) -> httpx2.Response:
    """The answer to a GET. Redirects are followed as the guard allows. Raises `httpx2.HTTPError`."""
    async with outbound.async_client(BOUNDS, redirects=redirects) as client:
        return await client.get(url, headers={"Accept": JSON, **(headers or {})})


async def tell(url: str, document: Mapping[str, Any]) -> httpx2.Response:
    """The answer to a POST of JSON. Redirects are not followed."""
    async with outbound.async_client(BOUNDS) as client:
        return await client.post(url, json=document, headers={"Accept": JSON})


async def submit(url: str, form: Mapping[str, str], sender: Client) -> httpx2.Response:
    """The answer to a POST of a form that the client proves itself with (RFC 6749 section 2.3.1)."""
    # The id is in the form even where the header has it as well: many servers look for it there alone.
    fields, headers = {**form, "client_id": sender["client_id"]}, {"Accept": JSON}
    secret = sender.get("client_secret", "")
    if sender["auth_method"] == "client_secret_basic" and secret:
        pair = f"{quote(sender['client_id'], safe='')}:{quote(secret, safe='')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    elif sender["auth_method"] == "client_secret_post" and secret:
        fields["client_secret"] = secret
    async with outbound.async_client(BOUNDS) as client:
        return await client.post(url, data=fields, headers=headers)


def retry_after(response: httpx2.Response) -> float | None:
    """Seconds that the provider asks to be left alone for, where it says so in seconds or as a date."""
    stated = response.headers.get("Retry-After", "").strip()
    if stated.isdecimal() and len(stated) < 9:
        return float(stated)
    try:
        return max(0.0, parsedate_to_datetime(stated).timestamp() - time.time()) if stated else None
    except (ValueError, OverflowError):
        return None


def members(response: httpx2.Response) -> dict[str, Any]:
    """An answer's members, whether it is JSON or, where JSON was asked for, a form. Empty for anything else."""
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        kind = response.headers.get("Content-Type", "").lower()
        return dict(parse_qsl(response.text)) if "form-urlencoded" in kind or "text/plain" in kind else {}
    return document if isinstance(document, dict) else {}


def word(value: object) -> str:
    """A short printable text of a provider's; what is nested under `code` or `type` is found."""
    if isinstance(value, Mapping):
        value = value.get("code") or value.get("type") or value.get("message")
    return UNPRINTABLE.sub(" ", value).strip()[:LONGEST_WORD] if isinstance(value, str) else ""
