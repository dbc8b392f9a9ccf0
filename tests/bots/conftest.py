"""A sandbox Discord for each test that asks for one, with a guild in it that the platform's rows know."""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_django import Settings

from accounts.caller import Caller
from bots.discord.permissions import INVITATION
from bots.discord.sandbox import server
from bots.discord.sandbox.world import GuildRow, World
from bots.models import Bot, Guild
from tests.bots.factories import BotFactory, GuildFactory, caller_for


@dataclass
class Harbour:
    """The sandbox's world with one guild: its owner, a moderator above the bot, and members below it."""

    url: str
    world: World
    there: GuildRow
    bot: Bot
    guild: Guild
    owner_id: int
    boss_id: int
    member_id: int

    @property
    def caller(self) -> Caller:
        return caller_for(self.bot.owner)

    @property
    def target(self) -> dict[str, Any]:
        """The arguments that name the ordinary member."""
        return {"bot_id": self.bot.pk, "guild_id": self.guild.discord_id, "user_id": self.member_id, "reason": "Spam"}

    def join(self, name: str, *, takes_direct_messages: bool = True) -> int:
        user = self.world.add_user(name, takes_direct_messages=takes_direct_messages)
        self.world.join(self.there, user.id)
        return user.id

    def fails(self, match: str, **fault: Any) -> None:
        """The next request that matches meets this fault."""
        self._control("POST", "faults", {"match": match, **fault})

    def works_again(self) -> None:
        """No request meets a fault any more."""
        self._control("DELETE", "faults")

    def requests(self, prefix: str) -> list[dict[str, Any]]:
        """The requests so far whose method and path begin so, failed ones too."""
        return [
            request
            for request in self._control("GET", "requests")
            if f"{request['method']} {request['path']}".startswith(prefix)
        ]

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        root = self.url.removesuffix("/api/v10")
        request = urllib.request.Request(
            f"{root}/sandbox/{path}", method=method, data=json.dumps(body).encode() if body else None
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")


@pytest.fixture
def harbour(transactional_db: None, settings: Settings) -> Iterator[Harbour]:
    """A running sandbox. Its bot may do what an invited one may, and stands in the middle of the roles."""
    world = World()
    login = world.add_bot("harbourmaster")
    owner_id = world.add_user("olga").id
    there = world.add_guild("Harbour", owner_id=owner_id)
    world.invite_bot(there, login.user_id, position=5, permissions=int(INVITATION))
    boss = world.add_role(there, "Boss", position=9)
    boss_id = world.add_user("boris").id
    world.join(there, boss_id, roles=[boss.id])
    member_id = world.add_user("mira").id
    world.join(there, member_id)
    bot = BotFactory(application_id=login.user_id, token=login.token, sandbox=True)
    guild = GuildFactory(bot=bot, discord_id=there.id, name=there.name)
    with server.running(world) as url:
        settings.DISCORD_SANDBOX_URL = url
        yield Harbour(url, world, there, bot, guild, owner_id, boss_id, member_id)
