"""Requests and answers against Discord's own description of its API, which is not part of this repository.

Download openapi.json from https://github.com/discord/discord-api-spec and name it in DISCORD_OPENAPI to run this.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator

from bots.discord.rest import DiscordError, DiscordRateLimited, transport
from bots.discord.sandbox.endpoints import ENDPOINTS
from tests.fakes.discord import ServedDiscord

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[3]
FILE = Path(os.environ.get("DISCORD_OPENAPI", ROOT.parent / "shared" / "data" / "discord-openapi.json"))


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    sent: Any
    status: int
    headers: httpx2.Headers
    answer: Any


@pytest.fixture(scope="module")
def description() -> Any:
    if not FILE.is_file():
        pytest.skip(f"Discord's description of its API is not at {FILE} (set DISCORD_OPENAPI to where it is)")
    found = json.loads(FILE.read_text())
    # Here it contradicts https://discord.com/developers/docs/reference#error-messages and the answers themselves: the
    # code of one field's complaint is a word, such as BASE_TYPE_REQUIRED.
    complaint = {"type": "object", "properties": {"code": {"type": "string"}, "message": {"type": "string"}}}
    found["components"]["schemas"]["InnerErrors"]["properties"]["_errors"]["items"] = complaint
    return found


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exchange]]:
    """Everything that the client sends and receives from here on."""
    seen: list[Exchange] = []

    def record(response: httpx2.Response) -> None:
        content, request = response.read(), response.request
        seen.append(
            Exchange(
                method=request.method.lower(),
                path=request.url.path.removeprefix("/api/v10"),
                sent=json.loads(request.content) if request.content else None,
                status=response.status_code,
                headers=response.headers,
                answer=json.loads(content) if content else None,
            )
        )

    with transport.new_connections() as connections:
        connections.event_hooks["response"].append(record)
        monkeypatch.setattr(transport, "_connections", lambda: connections)
        yield seen


def _use_everything(discord: ServedDiscord) -> None:
    """Every verb of the client, and refusals of every kind."""
    client, guild, member = discord.client(), discord.guild_id, discord.member_id
    client.current_user()
    client.guilds()
    client.guild(guild)
    client.roles(guild)
    client.user(member)
    client.member(guild, member)
    client.time_out(guild, member, until=datetime.now(UTC) + timedelta(hours=1), reason="Cool down")
    client.add_role(guild, member, discord.role_id, reason="Gift")
    client.remove_role(guild, member, discord.role_id, reason="Over")
    client.ban(guild, member, reason="Scam", delete_message_seconds=60)
    client.find_ban(guild, member)
    client.unban(guild, member, reason="Served")
    client.kick(guild, discord.other_member_id, reason="Spam")
    client.audit_log(guild)
    client.send_message(discord.channel_id, "Hello")
    client.open_dm(discord.chief_id)
    client.channel(discord.channel_id)
    client.edit_channel(discord.channel_id, {"name": "closed"}, reason="Closed")
    client.delete_channel(discord.channel_id, reason="Done")
    for refused in (
        lambda: client.guild(1),
        lambda: client.kick(guild, discord.owner_id, reason="x"),
        lambda: client.ban(guild, discord.chief_id, reason="x", delete_message_seconds=-1),
        lambda: client.send_message(client.open_dm(discord.closed_id).id, "x"),
    ):
        with pytest.raises(DiscordError):
            refused()
    discord.fail(match="GET /users/@me", retry_after=60)
    with pytest.raises(DiscordRateLimited):
        client.current_user()


def test_the_client_and_the_sandbox_speak_as_discord_describes_it(
    description: Any, exchanges: list[Exchange], discord: ServedDiscord
) -> None:
    _use_everything(discord)

    complaints = [complaint for exchange in exchanges for complaint in _complaints(description, exchange)]
    assert complaints == []
    used = {(exchange.method.upper(), _shape(exchange.path)) for exchange in exchanges}
    assert used == {(endpoint.method, _shape(endpoint.template)) for endpoint in ENDPOINTS}


def _shape(path: str) -> str:
    return re.sub(r"\{\w+\}|\d+", "*", path)


def _complaints(description: Any, exchange: Exchange) -> list[str]:
    path = next(path for path in description["paths"] if _shape(path) == _shape(exchange.path))
    operation = description["paths"][path][exchange.method]
    found = []
    if exchange.sent is not None and exchange.status != 400:  # 400 answers what was wrong on purpose.
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        found += _mismatches(description, schema, exchange.sent)
    responses = operation["responses"]
    response = responses.get(str(exchange.status)) or responses["4XX"]
    if "$ref" in response:
        response = description["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    if "content" in response:
        found += _mismatches(description, response["content"]["application/json"]["schema"], exchange.answer)
    elif exchange.answer is not None:
        found.append("a body where there is none")
    for name, header in response.get("headers", {}).items():
        kind = description["components"]["headers"][header["$ref"].rsplit("/", 1)[1]]["schema"]["type"]
        # A 429 that is made up has no bucket.
        if exchange.status != 429 and not _fits(kind, exchange.headers.get(name)):
            found.append(f"header {name}: {exchange.headers.get(name)!r} is no {kind}")
    return [f"{exchange.method} {exchange.path} {exchange.status}: {each}" for each in found]


def _mismatches(description: Any, schema: Any, instance: Any) -> list[str]:
    validator = Draft202012Validator({"components": description["components"], **schema})
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(instance)]


def _fits(kind: str, value: str | None) -> bool:
    if value is None:
        return False
    return re.fullmatch({"integer": r"\d+", "number": r"\d+(\.\d+)?", "string": r".+"}[kind], value) is not None
