"""A sandbox Discord for tests: a served world with one guild, and the levers to make it fail."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bots.discord.permissions import INVITATION
from bots.discord.rest import DiscordClient
from bots.discord.sandbox import server
from bots.discord.sandbox.faults import Fault
from bots.discord.sandbox.world import GuildRow, World

BOT_POSITION = 5


@dataclass(frozen=True)
class ServedDiscord:
    """One running sandbox. Ids are of its guild and the accounts in it; `url` is what DISCORD_API_URL takes."""

    url: str
    token: str
    bot_id: int
    guild_id: int
    owner_id: int
    # Without any role.
    member_id: int
    other_member_id: int
    # Holds a role above the bot's.
    chief_id: int
    # In no guild.
    stranger_id: int
    # Takes no direct messages.
    closed_id: int
    role_id: int
    channel_id: int

    def client(self, **options: Any) -> DiscordClient:
        return DiscordClient(self.token, base_url=self.url, **options)

    @property
    def world(self) -> World:
        return World.model_validate_json(self._control("GET", "world").content)

    @property
    def guild(self) -> GuildRow:
        return self.world.guilds[self.guild_id]

    @contextmanager
    def changing(self) -> Iterator[World]:
        """The world, put back as it is at the end of the block."""
        world = self.world
        yield world
        self._control("PUT", "world", content=world.model_dump_json())

    def fail(self, **fault: Any) -> None:
        """Let the next requests fail; see `Fault`."""
        self._control("POST", "faults", content=Fault(**fault).model_dump_json())

    def requests(self, match: Callable[[dict[str, Any]], bool] = lambda _: True) -> list[dict[str, Any]]:
        return [request for request in self._control("GET", "requests").json() if match(request)]

    def forget_requests(self) -> None:
        self._control("DELETE", "requests")

    def _control(self, method: str, what: str, **options: Any) -> httpx2.Response:
        root = self.url.removesuffix("/api/v10")
        response = httpx2.request(method, f"{root}/sandbox/{what}", trust_env=False, **options)
        response.raise_for_status()
        return response


@contextmanager
def served_discord(*, state: Path | None = None) -> Iterator[ServedDiscord]:
    """A sandbox on a free port with one guild, served until the block ends."""
    world = World()
    owner, chief = world.add_user("olga"), world.add_user("chidi")
    member, other = world.add_user("mira"), world.add_user("otto")
    closed, stranger = world.add_user("clara", takes_direct_messages=False), world.add_user("sten")
    bot = world.add_bot("astero")
    guild = world.add_guild("Observatory", owner_id=owner.id)
    role = world.add_role(guild, "Stargazer", position=1)
    high = world.add_role(guild, "Chief", position=BOT_POSITION + 1)
    world.invite_bot(guild, bot.user_id, position=BOT_POSITION, permissions=INVITATION)
    world.join(guild, chief.id, roles=[high.id])
    for user in (member, other, closed):
        world.join(guild, user.id)
    channel = world.add_channel(guild, "general")
    with server.running(world, state=state) as url:
        yield ServedDiscord(
            url=url,
            token=bot.token,
            bot_id=bot.user_id,
            guild_id=guild.id,
            owner_id=owner.id,
            member_id=member.id,
            other_member_id=other.id,
            chief_id=chief.id,
            stranger_id=stranger.id,
            closed_id=closed.id,
            role_id=role.id,
            channel_id=channel.id,
        )


@pytest.fixture
def discord() -> Iterator[ServedDiscord]:
    with served_discord() as served:
        yield served
