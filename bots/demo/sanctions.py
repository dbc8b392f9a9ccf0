"""The demo's moderation cases: some by staff, some by the bot's own rules, one ban that is about to end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from accounts.models import User
from bots.demo.guilds import Scene
from bots.models import GuildMembership, ModerationCase
from bots.services.settling import LASTING, open_key

Action = ModerationCase.Action
Status = ModerationCase.Status


@dataclass(frozen=True)
class Incident:
    """What happened so many days ago. A ban with an `ended` one is over; a refusal is Discord's."""

    days_ago: float
    action: ModerationCase.Action
    reason: str
    automatic: bool = False
    duration: timedelta | None = None
    status: ModerationCase.Status = Status.APPLIED
    failure: str = ""


INCIDENTS = (
    Incident(58.2, Action.WARN, "Advertising another server in #general", automatic=True),
    Incident(55.7, Action.KICK, "Raid account, joined a minute before posting"),
    Incident(51.1, Action.WARN, "Caps lock for half an hour", automatic=True),
    Incident(
        47.4,
        Action.TEMPBAN,
        "Kept posting spoilers after two warnings",
        duration=timedelta(days=3),
        status=Status.EXPIRED,
    ),
    Incident(43.0, Action.MUTE, "Twelve messages in ten seconds", True, timedelta(minutes=10), Status.EXPIRED),
    Incident(40.6, Action.WARN, "Spoilers without a tag"),
    Incident(33.9, Action.BAN, "Phishing links in direct messages, see ticket"),
    Incident(30.2, Action.MUTE, "Quoted a film, misread by the filter", True, timedelta(hours=1), Status.REVOKED),
    Incident(26.5, Action.WARN, "Asking for other people's addresses"),
    Incident(21.8, Action.WARN, "Six links in one message", automatic=True),
    Incident(17.3, Action.TEMPBAN, "Insults in voice", duration=timedelta(days=7), status=Status.SUPERSEDED),
    Incident(16.9, Action.BAN, "Came back under another name to go on with it"),
    Incident(12.4, Action.MUTE, "Soundboard spam", True, timedelta(minutes=30), Status.EXPIRED),
    Incident(
        9.6, Action.KICK, "Inactive test account", status=Status.FAILED, failure="Discord refused: Missing Permissions"
    ),
    Incident(6.1, Action.WARN, "Off-topic fights in #help"),
    Incident(4.7, Action.TEMPBAN, "Sold game keys in #trading", duration=timedelta(days=7)),
    Incident(1.3, Action.WARN, "Twelve messages in ten seconds", automatic=True),
    Incident(0.4, Action.WARN, "Posting the same meme in five channels"),
)


def make(scene: Scene, owner: User, chance: Random) -> None:
    """The incidents in their order; the smaller guild has had a third of them."""
    incidents = INCIDENTS if scene.place.number == 1 else INCIDENTS[::3]
    long_there = [member for member in scene.members[len(scene.staff) :] if _was_there(member, scene)]
    people = chance.sample(long_there, len(incidents))
    cases = [
        _case(scene, number, incident, person, owner)
        for number, (incident, person) in enumerate(zip(incidents, people, strict=True), start=1)
    ]
    ModerationCase.objects.bulk_create(cases)
    scene.guild.last_case_number = len(cases)
    scene.guild.save(update_fields=["last_case_number"])
    _let_go(scene, cases)


def _was_there(member: GuildMembership, scene: Scene) -> bool:
    """Through all the days."""
    return member.joined_at < scene.start and member.left_at is None


def _case(scene: Scene, number: int, incident: Incident, person: GuildMembership, owner: User) -> ModerationCase:
    at = scene.now - timedelta(days=incident.days_ago)
    done = incident.status != Status.FAILED
    holds = incident.status == Status.APPLIED and incident.action in LASTING
    expires = at + incident.duration if incident.duration else None
    return ModerationCase(
        bot=scene.guild.bot,
        guild=scene.guild,
        number=number,
        action=incident.action,
        status=incident.status,
        user_id=person.user_id,
        user_name=person.username,
        reason=incident.reason,
        moderator=None if incident.automatic else owner,
        moderator_name="" if incident.automatic else owner.get_full_name(),
        automatic=incident.automatic,
        duration_seconds=int(incident.duration.total_seconds()) if incident.duration else None,
        created_at=at,
        applied_at=at + timedelta(seconds=1) if done else None,
        expires_at=expires,
        ended_at=None if incident.status == Status.APPLIED else _ended(at, expires, incident),
        direct_message="sent" if incident.action == Action.WARN else "none",
        failure=incident.failure,
        failure_code="50013" if incident.failure else "",
        open_key=open_key(scene.guild, person.user_id, LASTING[incident.action]) if holds else None,
    )


def _ended(at: datetime, expires: datetime | None, incident: Incident) -> datetime:
    if incident.status == Status.EXPIRED and expires is not None:
        return expires
    return at + timedelta(minutes=25)


def _let_go(scene: Scene, cases: list[ModerationCase]) -> None:
    """Whom a case removed has left."""
    removing = {Action.KICK, Action.BAN, Action.TEMPBAN}
    left_at = {case.user_id: case.applied_at for case in cases if case.action in removing and case.applied_at}
    gone = [member for member in scene.members if member.user_id in left_at]
    for member in gone:
        member.left_at = left_at[member.user_id]
    GuildMembership.objects.bulk_update(gone, ["left_at"])
