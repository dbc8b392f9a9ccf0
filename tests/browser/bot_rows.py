"""A bot's rows in every state that a page can show."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from accounts.models import User
from bots.models import (
    ActivityBucket,
    Bot,
    CommandInvocation,
    GiftCode,
    GiftReward,
    Guild,
    ModerationCase,
    Redemption,
    RewardGrant,
    RoiSnapshot,
    Ticket,
    TicketMessage,
)
from security.models import AuditEntry

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRST_ID = 1_100_000_000_000_000_000

TICKETS = (
    ("I cannot see the #market channel", "Access", Ticket.Status.OPEN),
    ("Payment went through twice", "Billing", Ticket.Status.CLAIMED),
    ("Appeal of my mute", "Moderation", Ticket.Status.PENDING),
    ("Role colour is wrong", "", Ticket.Status.CLOSED),
    ("\u202eA subject that runs backwards", "Access", Ticket.Status.OPEN),
    (
        "A very long subject that goes on about everything that has happened since the last time somebody asked",
        "",
        "open",
    ),
)


def fill(bot: Bot, guilds: list[Guild], person: User) -> None:
    """Tickets, cases, codes, activity and the audit of what `person` did."""
    _tickets(bot, guilds)
    _cases(bot, guilds, person)
    _gift_codes(bot, guilds[0], person)
    _activity(bot, guilds[0])
    _audit(person)


def _tickets(bot: Bot, guilds: list[Guild]) -> None:
    now = timezone.now()
    for number in range(1, 41):
        subject, category, status = TICKETS[number % len(TICKETS)]
        opened = now - number * 5 * HOUR
        ticket = Ticket.objects.create(
            bot=bot,
            guild=guilds[number % 2],
            number=number,
            channel_id=FIRST_ID + 500 + number,
            subject=subject,
            category=category,
            status=status,
            opener_id=FIRST_ID + 900 + number,
            opener_name=f"sailor{number}",
            claimed_by_id=FIRST_ID + 7 if status == Ticket.Status.CLAIMED else None,
            claimed_by_name="Ingrid" if status == Ticket.Status.CLAIMED else "",
            created_at=opened,
            closed_at=opened + HOUR if status == Ticket.Status.CLOSED else None,
            close_reason="The role has its colour back." if status == Ticket.Status.CLOSED else "",
            message_count=4,
            first_message_at=opened,
            last_message_at=opened + 20 * HOUR / 60,
        )
        if number <= 8:
            _conversation(ticket)


def _conversation(ticket: Ticket) -> None:
    said = (
        (
            ticket.opener_name,
            False,
            False,
            "Hi, since this morning the channel is gone for me.\n\nOthers still see it.",
        ),
        ("Harbourmaster", False, True, "Thanks, somebody will be with you shortly."),
        ("Ingrid", True, False, "Looking into it. Did you **leave** the *Traders* role, or was it taken?"),
        (
            ticket.opener_name,
            False,
            False,
            "No idea <b>really</b>, see `the log` and https://example.com/a/very/long/link",
        ),
    )
    TicketMessage.objects.bulk_create(
        TicketMessage(
            ticket=ticket,
            message_id=FIRST_ID + 10_000 + ticket.number * 10 + index,
            author_id=FIRST_ID + 900 + index,
            author_name=author,
            is_staff=is_staff,
            is_bot=is_bot,
            content=content,
            attachments=[{"name": "log.txt", "url": "https://cdn.example.com/log.txt", "size": 1200}]
            if index == 3
            else [],
            sent_at=ticket.created_at + index * HOUR / 12,
            edited_at=ticket.created_at + HOUR if index == 3 else None,
        )
        for index, (author, is_staff, is_bot, content) in enumerate(said)
    )


def _cases(bot: Bot, guilds: list[Guild], person: User) -> None:
    now = timezone.now()
    states = list(ModerationCase.Status)
    actions = list(ModerationCase.Action)
    for number in range(1, 31):
        status, action = states[number % len(states)], actions[number % len(actions)]
        at = now - number * 7 * HOUR
        was_applied = status not in {ModerationCase.Status.PENDING, ModerationCase.Status.FAILED}
        has_ended = status not in {ModerationCase.Status.PENDING, ModerationCase.Status.APPLIED}
        ModerationCase.objects.create(
            bot=bot,
            guild=guilds[0],
            number=number,
            action=action,
            status=status,
            user_id=FIRST_ID + 900 + number,
            user_name=f"sailor{number}" if number % 3 else "",
            reason="Sold the same map to three people, and was asked twice to stop.",
            moderator=person,
            moderator_name=person.name,
            automatic=number % 5 == 0,
            created_at=at,
            applied_at=at if was_applied else None,
            expires_at=now + 3 * DAY if action == ModerationCase.Action.TEMPBAN else None,
            ended_at=at + HOUR if has_ended else None,
            failure="Discord: Missing Permissions (50013). Give the bot the right to kick."
            if status == ModerationCase.Status.FAILED
            else "",
        )


def _gift_codes(bot: Bot, guild: Guild, person: User) -> None:
    now = timezone.now()
    for number in range(1, 9):
        code = GiftCode.objects.create(
            bot=bot,
            guild=guild if number % 2 else None,
            prefix=f"H{number}RB",
            digest=number.to_bytes(32, "big"),
            max_uses=10,
            uses=10 if number == 3 else number,
            created_by=person,
            created_at=now - number * DAY,
            expires_at=now - HOUR if number == 4 else now + 20 * DAY,
            revoked_at=now - HOUR if number == 2 else None,
        )
        xp = GiftReward.objects.create(code=code, position=1, kind="XP", amount=500)
        role = GiftReward.objects.create(
            code=code, position=2, kind="TEMP_ROLE", role_id=FIRST_ID + 77, duration_seconds=604_800
        )
        for use in range(code.uses):
            redemption = Redemption.objects.create(
                code=code, guild=guild, user_id=FIRST_ID + 900 + use, user_name=f"sailor{use}", redeemed_at=now - HOUR
            )
            RewardGrant.objects.create(redemption=redemption, reward=xp, status="given", given_at=now - HOUR)
            RewardGrant.objects.create(
                redemption=redemption, reward=role, status="failed", failure="Discord: Unknown Role (10011)."
            )


def _activity(bot: Bot, guild: Guild) -> None:
    this_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    ActivityBucket.objects.bulk_create(
        ActivityBucket(
            bot=bot,
            guild=guild,
            hour=this_hour - index * HOUR,
            messages=(index * 37) % 90 + (40 if index % 24 < 8 else 0),
            bot_messages=index % 9,
            bot_answers=index % 4,
            commands=(index * 7) % 11,
            voice_seconds=(index * 61) % 1_800,
            ai_tokens=index % 300,
        )
        for index in range(24 * 40)
    )
    CommandInvocation.objects.bulk_create(
        CommandInvocation(
            bot=bot,
            guild=guild,
            user_id=FIRST_ID + 900,
            command="rank",
            succeeded=index % 11 > 0,
            latency_ms=40,
            at=timezone.now() - index * HOUR / 2,
        )
        for index in range(400)
    )
    RoiSnapshot.objects.bulk_create(
        RoiSnapshot(
            bot=bot,
            day=(this_hour - index * DAY).date(),
            bot_messages=2_000,
            members_retained=31,
            cohort_size=54,
            ai_tokens=90_000,
            answers=420,
            tickets=38,
            moderations=12,
            hours_saved=18.5 + index % 6,
        )
        for index in range(25)
    )


def _audit(person: User) -> None:
    actions = ("ticket.list", "ticket.get", "ticket.close", "mod.banUser", "giftCode.generate", "roi.getSnapshot")
    outcomes = (AuditEntry.Outcome.OK,) * 6 + (AuditEntry.Outcome.REFUSED, AuditEntry.Outcome.ERROR)
    AuditEntry.objects.bulk_create(
        AuditEntry(
            at=timezone.now() - (120 - index) * HOUR,
            user_id=person.pk,
            door=("mcp", "mcp", "page", "admin", "command", "task")[index % 6],
            action=actions[index % len(actions)],
            target=f"ticket:{index}" if index % 3 else "",
            outcome=outcomes[index % len(outcomes)],
            error_code="not_found" if index % 8 == 6 else "",
            duration_ms=index / 3,
            ip="203.0.113.9",
        )
        for index in range(120)
    )
