"""The demo's bot, its two guilds and the people in them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from accounts.models import User
from bots.demo.sandbox import new_token
from bots.discord import snowflake
from bots.models import Bot, Guild, GuildMembership, RoiSettings

FIRST_NAMES = [
    "adele",
    "amara",
    "anouk",
    "arlo",
    "bastian",
    "bela",
    "caspian",
    "cleo",
    "dario",
    "dilara",
    "edda",
    "elio",
    "esra",
    "fenna",
    "fynn",
    "gia",
    "hana",
    "hugo",
    "ida",
    "ilias",
    "ines",
    "ivo",
    "jana",
    "joris",
    "juno",
    "kaia",
    "kian",
    "lena",
    "levi",
    "linnea",
    "luca",
    "maja",
    "malik",
    "mara",
    "milo",
    "mira",
    "nadia",
    "nilo",
    "noor",
    "odin",
    "oona",
    "orla",
    "pia",
    "quinn",
    "rafi",
    "remy",
    "rosa",
    "ruben",
    "saga",
    "sami",
    "selma",
    "silas",
    "sora",
    "tamsin",
    "theo",
    "tilda",
    "uma",
    "vera",
    "vito",
    "wanda",
    "xenia",
    "yara",
    "yusuf",
    "zeno",
    "zora",
]
ENDINGS = ("", "", "_", "42", ".exe", "_plays", "x", "the2nd", "_makes", "99")


@dataclass(frozen=True)
class Place:
    """What a guild is like. `number` tells its ids from the other's."""

    number: int
    name: str
    members: int
    staff: tuple[str, ...]
    text_channels: tuple[str, ...]
    voice_channels: tuple[str, ...]
    tickets: int
    # Messages of an ordinary hour in the busiest channel.
    liveliness: float


@dataclass(frozen=True)
class Person:
    id: int
    name: str


@dataclass(frozen=True)
class Scene:
    """A guild with everybody in it, over the days that end with `now`."""

    place: Place
    guild: Guild
    staff: list[Person]
    members: list[GuildMembership]
    now: datetime
    days: int

    @property
    def start(self) -> datetime:
        return self.now - timedelta(days=self.days)

    def new_id(self, moment: datetime, sequence: int = 0) -> int:
        """A Discord id of that moment; `sequence` tells apart what happened in one millisecond."""
        return snowflake.at(moment, sequence=self.place.number << 16 | sequence & 0xFFFF)

    def channel_id(self, index: int) -> int:
        return self.new_id(self.guild.joined_at, 1_000 + index)


PLACES = (
    Place(
        number=1,
        name="Lanternfall",
        members=150,
        staff=("ilse", "marek", "tove"),
        text_channels=("general", "help", "fan-art", "trading", "off-topic"),
        voice_channels=("campfire",),
        tickets=48,
        liveliness=14,
    ),
    Place(
        number=2,
        name="Tidepool Makers",
        members=45,
        staff=("henrike", "paolo"),
        text_channels=("workbench", "show-and-tell", "questions"),
        voice_channels=("open-bench",),
        tickets=18,
        liveliness=5,
    ),
)


def make_bot(owner: User, now: datetime) -> Bot:
    bot = Bot(
        owner=owner,
        name="Beacon",
        application_id=snowflake.at(now - timedelta(days=400), sequence=1),
        public_key="",
        token=new_token(),
        sandbox=True,
    )
    bot.save()
    RoiSettings.objects.create(bot=bot)
    return bot


def make_guild(bot: Bot, place: Place, chance: Random, now: datetime, *, days: int) -> Scene:
    joined = now - timedelta(days=320 - 40 * place.number)
    guild = Guild.objects.create(
        bot=bot,
        discord_id=snowflake.at(joined, sequence=place.number),
        name=place.name,
        member_count=place.members + len(place.staff),
        joined_at=joined,
    )
    scene = Scene(place, guild, [], [], now, days)
    scene.staff.extend(Person(scene.new_id(joined, 10 + n), name) for n, name in enumerate(place.staff))
    scene.members.extend(GuildMembership.objects.bulk_create(_people(scene, chance)))
    return scene


def _people(scene: Scene, chance: Random) -> list[GuildMembership]:
    """The staff, there from the beginning, and members who came by and by, some of whom left again."""
    joined = scene.guild.joined_at
    people = [
        GuildMembership(guild=scene.guild, user_id=person.id, username=person.name, joined_at=joined)
        for person in scene.staff
    ]
    names = [first + ending for ending in dict.fromkeys(ENDINGS) for first in FIRST_NAMES]
    chance.shuffle(names)
    for number in range(scene.place.members):
        # A third of them came in the last 75 days, so that the retention cohort is well filled.
        reach = 75.0 if number % 3 == 0 else 250.0
        came = scene.now - timedelta(days=chance.uniform(0.2, reach))
        left = came + timedelta(days=chance.uniform(1, 50)) if chance.random() < 0.14 else None
        people.append(
            GuildMembership(
                guild=scene.guild,
                user_id=scene.new_id(came - timedelta(days=chance.uniform(30, 900)), 100 + number),
                username=names[number],
                joined_at=came,
                left_at=left if left and left < scene.now else None,
            )
        )
    return people
