"""The actions that reach outside or need a secret: requests to HTTP APIs, and one-time codes."""

import base64
import hmac
import json
import struct
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field

from security import outbound
from workflows.engine.work import Work
from workflows.nodes.requests import BOUNDS, FAULTS, IDEMPOTENT, REDIRECTS, body_of, failure_of, headers_of
from workflows.task.actions import Action, ActionFailed, Arguments, actions, clipped

# RFC 6238: seconds that a code holds, and its digits, unless the secret's address says otherwise.
PERIOD, DIGITS = 30, 6
HASHES = ("sha1", "sha256", "sha512")


class Request(Arguments):
    method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    url: Annotated[str, Field(min_length=1, max_length=4_000)]
    headers: dict[str, str] = {}
    body: dict[str, Any] | list[Any] | None = Field(default=None, description="Sent as JSON, with POST and PUT.")


async def ext_api_call(work: Work, arguments: Request) -> Any:
    """The answer's status and body. It carries a key by which a server can tell a request that came twice."""
    secrets = secrets_of(work)
    sent = work.secrets.fill(arguments.model_dump(), secrets)
    url = work.secrets.fill_url(arguments.url, secrets)
    body = sent["body"] if arguments.method in {"POST", "PUT"} else None
    try:
        headers = headers_of(work.action_key, sent["headers"])
        async with outbound.async_client(BOUNDS, redirects=REDIRECTS) as client:
            response = await client.request(arguments.method, url, headers=headers, json=body)
    except FAULTS as fault:
        said = work.secrets.hide(failure_of(fault))
        raise ActionFailed(f"{arguments.method} {arguments.url} {said}") from None
    # Hidden before anything is cut or written as text: half a value, or one that is escaped, would not be known again.
    answer = {"status": response.status_code, "body": clipped(work.secrets.hide(body_of(response)))}
    if response.status_code >= 400:
        raise ActionFailed(json.dumps(answer, ensure_ascii=False))
    return answer


class Credential(Arguments):
    credential: Annotated[str, Field(max_length=255, description="The name of the secret that the codes are made of.")]


async def one_time_code(work: Work, arguments: Credential) -> str:
    """The code of now (RFC 6238). The secret stays where it is."""
    return totp(work.secrets.value(arguments.credential, secrets_of(work)), time.time())


def totp(secret: str, now: float) -> str:
    """The code for a secret in Base32, or for an otpauth:// address that holds one and may say how codes are made."""
    period, digits, algorithm = PERIOD, DIGITS, HASHES[0]
    if secret.strip().lower().startswith("otpauth://"):
        given = {name: values[0] for name, values in parse_qs(urlsplit(secret.strip()).query).items()}
        secret = given.get("secret", "")
        period, digits = _number(given, "period", PERIOD), _number(given, "digits", DIGITS)
        algorithm = given.get("algorithm", algorithm).lower().replace("-", "")
        if algorithm not in HASHES or not 6 <= digits <= 10 or period < 1:
            raise ActionFailed("This credential asks for one-time codes of a kind that cannot be made here.")
    plain = "".join(secret.split()).replace("-", "").rstrip("=").upper()
    try:
        key = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except ValueError:
        key = b""
    if not key:
        raise ActionFailed("This credential is not a secret for one-time codes: it is not Base32.")
    digest = hmac.digest(key, struct.pack(">Q", int(now) // period), algorithm)
    place = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[place : place + 4])[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def _number(given: Mapping[str, str], name: str, otherwise: int) -> int:
    said = given.get(name, str(otherwise))
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 4 else 0


def secrets_of(work: Work) -> list[str]:
    """Those that the node's own words name."""
    return work.secrets.named_in(work.node.properties.get("instructions", ""), work.execution.workflow.rules)


for _action in (
    Action(
        "ext_api_call",
        "Send one HTTP request to a public address and give its answer.",
        Request,
        ext_api_call,
        "external",
        repeatable=lambda request: request.method in IDEMPOTENT,
    ),
    Action(
        "util_generate_totp_secret",
        "Make the one-time code of now from a secret of the profile, for a second step of signing in.",
        Credential,
        one_time_code,
        "utility",
        repeatable=True,
        is_secret=True,
    ),
):
    actions.add(_action)
