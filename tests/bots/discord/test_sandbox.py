"""The sandbox as a server: how it refuses, who may steer it, and that it remembers."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bots.discord.rest.transport import USER_AGENT_FORM
from bots.discord.sandbox.world import World
from tests.fakes.discord import ServedDiscord, served_discord

ROOT = Path(__file__).resolve().parents[3]
AGENT = {"User-Agent": USER_AGENT_FORM.format(url="https://example.org", version=10)}


def _ask(discord: ServedDiscord, method: str, path: str, **options: Any) -> httpx2.Response:
    headers = {"Authorization": f"Bot {discord.token}"} | AGENT | options.pop("headers", {})
    return httpx2.request(method, discord.url + path, headers=headers, trust_env=False, **options)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/users/@me/nothing", 404, 0),
        ("POST", "/users/@me", 405, 0),
        ("GET", "/guilds/1", 404, 10004),
        ("GET", "/guilds/abc", 400, 50035),
        ("GET", "/users/1", 404, 10013),
        ("GET", "/channels/1", 404, 10003),
    ],
)
def test_refusals_have_discords_status_and_code(
    discord: ServedDiscord, method: str, path: str, status: int, code: int
) -> None:
    response = _ask(discord, method, path)

    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_request_without_a_token_that_works_is_unauthorized(discord: ServedDiscord) -> None:
    for token in ("", "Bot", "Bot wrong", f"Bearer {discord.token}", discord.token):
        response = _ask(discord, "GET", "/users/@me", headers={"Authorization": token})
        assert (response.status_code, response.json()) == (401, {"message": "401: Unauthorized", "code": 0})


def test_a_program_that_does_not_say_what_it_is_is_blocked(discord: ServedDiscord) -> None:
    response = _ask(discord, "GET", "/users/@me", headers={"User-Agent": "curl/8"})

    assert (response.status_code, response.json()["code"]) == (403, 40333)


def test_every_answer_says_that_it_is_a_sandboxs(discord: ServedDiscord) -> None:
    discord.fail(match="GET /guilds/*", retry_after=1)
    answers = [
        _ask(discord, "GET", "/users/@me"),
        _ask(discord, "GET", "/users/1"),
        _ask(discord, "GET", "/nothing"),
        _ask(discord, "GET", f"/guilds/{discord.guild_id}"),
        _ask(discord, "GET", "/users/@me", headers={"Authorization": ""}),
    ]

    assert [answer.status_code for answer in answers] == [200, 404, 404, 429, 401]
    assert all(answer.headers["X-Discord-Sandbox"] == "true" for answer in answers)


def test_the_limit_of_a_bucket_is_counted_down_and_then_refused(discord: ServedDiscord) -> None:
    path = f"/channels/{discord.channel_id}/messages"

    answers = [_ask(discord, "POST", path, json={"content": "x"}) for _ in range(6)]

    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    refused = answers[-1]
    assert refused.headers["X-RateLimit-Scope"] == "user"
    assert 0 < refused.json()["retry_after"] <= float(refused.headers["Retry-After"])


@pytest.mark.parametrize("content", ["", "   ", "x" * 2001, None, 5])
def test_a_message_that_discord_would_not_take_is_refused(discord: ServedDiscord, content: Any) -> None:
    response = _ask(discord, "POST", f"/channels/{discord.channel_id}/messages", json={"content": content})

    assert response.status_code == 400


def test_pages_in_a_browser_can_neither_name_nor_steer_it(discord: ServedDiscord) -> None:
    world = discord.url.replace("/api/v10", "/sandbox/world")

    named = httpx2.get(world, headers={"Host": "evil.example"}, trust_env=False)
    steered = httpx2.put(world, headers={"Origin": "https://evil.example"}, content="{}", trust_env=False)

    assert (named.status_code, steered.status_code) == (400, 403)


def test_a_world_that_does_not_fit_is_refused_and_changes_nothing(discord: ServedDiscord) -> None:
    world = discord.url.replace("/api/v10", "/sandbox/world")

    assert httpx2.put(world, content='{"bots": 5}', trust_env=False).status_code == 422
    assert discord.world.bots


@contextmanager
def _command(state: Path, *, port: int = 0) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "manage.py", "discord_sandbox", f"--port={port}", f"--state={state}"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    return next(word for word in line.split() if word.startswith("http")).rstrip(",")


def test_what_was_done_survives_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "discord-sandbox.json"
    with served_discord(state=state) as discord:
        _ask(discord, "PUT", f"/guilds/{discord.guild_id}/bans/{discord.member_id}", json={}).raise_for_status()
    assert state.stat().st_mode & 0o777 == 0o600

    with _command(state) as process:
        url, headers = _url(process), {"Authorization": f"Bot {discord.token}"} | AGENT
        ban = f"{url}/guilds/{discord.guild_id}/bans/{discord.member_id}"
        assert httpx2.get(ban, headers=headers, trust_env=False).status_code == 200

        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) in {0, -signal.SIGTERM}


def test_a_port_that_is_taken_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with _command(tmp_path / "state.json", port=taken.getsockname()[1]) as process:
            _, complaint = process.communicate(timeout=30)

    assert "--port" in complaint
    assert process.returncode == 1


def test_a_state_file_that_is_broken_is_named_and_left_alone(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text('{"bots": ')
    with _command(state) as process:
        _, complaint = process.communicate(timeout=30)

    assert str(state) in complaint
    assert state.read_text() == '{"bots": '


def test_a_world_reads_back_what_it_wrote(tmp_path: Path) -> None:
    with served_discord() as discord:
        world = discord.world

    world.save(tmp_path / "state.json")

    assert World.load(tmp_path / "state.json") == world
