"""What the processes do that prove the pace; they import this module anew and use the test's own database."""

import os
import sys
from collections.abc import Callable
from multiprocessing.synchronize import Barrier as BarrierType
from pathlib import Path

# How often each process reads: four processes together read more than one window takes.
READS = 4


_gates: list[BarrierType] = []


def begin(database: str, gate: BarrierType) -> None:
    """Make this process one of the platform's, on `database`, and let it start its work with the others."""
    import django
    from django.db import connection

    root = Path(__file__).resolve().parents[3]
    sys.path[:0] = [str(root / "platform"), str(root)]
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    connection.settings_dict["NAME"] = database
    _gates.append(gate)


def together(work: Callable[[], None]) -> None:
    """Do the work once every process has come this far, so that each has a share of it."""
    from django.db import connection

    connection.ensure_connection()
    _gates[0].wait(90)
    work()


def read_guild(url: str, token: str, guild_id: int, _: int) -> None:
    from bots.discord.rest import DiscordClient

    client = DiscordClient(token, base_url=url, patience=60)
    for _number in range(READS):
        client.guild(guild_id)


def read_guild_unpaced(url: str, token: str, guild_id: int, _: int) -> None:
    """The same with a pace of this process alone."""
    from bots.discord.rest import DiscordClient
    from bots.discord.rest.pace import Pace

    client = DiscordClient(token, base_url=url, patience=60)
    client._transport._pace = Pace(f"{token}, known to process {os.getpid()} only")
    for _number in range(READS):
        client.guild(guild_id)


def read_channels(url: str, token: str, channels: list[int], share: int) -> None:
    """Read every fourth channel, beginning with the one numbered `share`."""
    from bots.discord.rest import DiscordClient

    client = DiscordClient(token, base_url=url, patience=60)
    for channel_id in channels[share::4]:
        client.channel(channel_id)
