"""The demo's tickets, told from the stories."""

from datetime import datetime, timedelta
from random import Random

from bots.demo.guilds import Scene
from bots.demo.stories import STORIES, WAITING, Story
from bots.models import GuildMembership, Ticket, TicketMessage
from bots.services import transcripts

OPEN_STATES = (Ticket.Status.OPEN, Ticket.Status.CLAIMED, Ticket.Status.PENDING)
# So many of the closed ones have their page stored, as those have that were closed here.
STORED_PAGES = 12


def make(scene: Scene, chance: Random) -> None:
    """Tickets over all the days, the newest still open."""
    openers = [member for member in scene.members[len(scene.staff) :] if member.left_at is None]
    moments = sorted(
        scene.start + (scene.now - scene.start) * chance.random() ** 0.8 for _ in range(scene.place.tickets)
    )
    stories = _in_turn(chance, scene.place.tickets)
    drafts = [
        _ticket(scene, number, moment, story, chance.choice(openers), chance)
        for number, (moment, story) in enumerate(zip(moments, stories, strict=True), start=1)
    ]
    rows = Ticket.objects.bulk_create(ticket for ticket, _ in drafts)
    messages = [
        message for row, (_, spoken) in zip(rows, drafts, strict=True) for message in spoken if _belongs(message, row)
    ]
    TicketMessage.objects.bulk_create(messages, batch_size=1_000)
    scene.guild.last_ticket_number = scene.place.tickets
    scene.guild.save(update_fields=["last_ticket_number"])
    for row in [row for row in rows if row.status == Ticket.Status.CLOSED][-STORED_PAGES:]:
        transcripts.store(row)


def _belongs(message: TicketMessage, ticket: Ticket) -> bool:
    message.ticket = ticket
    return True


def _in_turn(chance: Random, count: int) -> list[Story]:
    """Every story before one is told again."""
    told: list[Story] = []
    while len(told) < count:
        told += chance.sample(STORIES, len(STORIES))
    return told[:count]


def _ticket(
    scene: Scene, number: int, opened: datetime, story: Story, opener: GuildMembership, chance: Random
) -> tuple[Ticket, list[TicketMessage]]:
    staff = chance.choice(scene.staff)
    is_open = scene.now - opened < timedelta(days=6) or chance.random() < 0.08
    status = chance.choice(OPEN_STATES) if is_open else Ticket.Status.CLOSED
    lines = (*story.lines[: max(1, len(story.lines) - 2)], chance.choice(WAITING)) if is_open else story.lines
    claimed = status != Ticket.Status.OPEN
    ticket = Ticket(
        bot=scene.guild.bot,
        guild=scene.guild,
        number=number,
        channel_id=scene.new_id(opened, number),
        subject=story.subject,
        category=story.category,
        status=status,
        opener_id=opener.user_id,
        opener_name=opener.username,
        claimed_by_id=staff.id if claimed else None,
        claimed_by_name=staff.name if claimed else "",
        created_at=opened,
    )
    messages = _said(scene, ticket, lines, opener, staff.id, staff.name, chance)
    ticket.message_count = ticket.transcript_revision = len(messages)
    ticket.first_message_at, ticket.last_message_at = messages[0].sent_at, messages[-1].sent_at
    if status == Ticket.Status.CLOSED:
        ticket.closed_at = min(scene.now, messages[-1].sent_at + timedelta(minutes=chance.randint(2, 90)))
        ticket.close_reason = story.ending
    return ticket, messages


def _said(
    scene: Scene,
    ticket: Ticket,
    lines: tuple[str, ...],
    opener: GuildMembership,
    staff_id: int,
    staff_name: str,
    chance: Random,
) -> list[TicketMessage]:
    voices = {
        "m": (opener.user_id, opener.username),
        "s": (staff_id, staff_name),
        "b": (scene.guild.bot.application_id, scene.guild.bot.name),
    }
    # What there is time for between opening and now.
    pace = min(1.0, (scene.now - ticket.created_at) / timedelta(hours=4))
    moment, messages = ticket.created_at, []
    for index, line in enumerate(lines):
        who, _, text = line.partition(": ")
        wait = chance.uniform(2, 20) if who == "b" else chance.uniform(40, 2_000)
        moment += timedelta(seconds=wait * pace)
        author_id, author_name = voices[who]
        edited = who == "m" and chance.random() < 0.12
        messages.append(
            TicketMessage(
                message_id=scene.new_id(moment, ticket.number * 16 + index),
                author_id=author_id,
                author_name=author_name,
                is_staff=who == "s",
                is_bot=who == "b",
                content=text,
                attachments=_attachments(text),
                sent_at=moment,
                edited_at=moment + timedelta(seconds=45 * pace) if edited else None,
            )
        )
    return messages


def _attachments(text: str) -> list[dict[str, object]]:
    if "Screenshot attached" in text:
        return [
            {"name": "screenshot.png", "url": "https://cdn.example.com/attachments/screenshot.png", "size": 184_320}
        ]
    if text == "Attached.":
        return [{"name": "storage.zip", "url": "https://cdn.example.com/attachments/storage.zip", "size": 2_411_008}]
    return []
