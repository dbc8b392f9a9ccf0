"""The bots' lists and what each row leads to."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bots.models import Bot, Guild, RewardKind
from bots.services.gift_codes import NewCode, Reward, generate_codes
from bots.services.redemption import Redeemer, redeem
from tests.bots.factories import (
    ActivityBucketFactory,
    BotFactory,
    CommandInvocationFactory,
    GuildFactory,
    ModerationCaseFactory,
    TicketFactory,
    TicketMessageFactory,
    caller_for,
    subscribe,
)
from tests.factories import UserFactory

SECTIONS = (
    "",
    "tickets",
    "cases",
    "cases/warn",
    "cases/mute",
    "cases/unmute",
    "cases/ban",
    "cases/unban",
    "gift-codes",
    "gift-codes/new",
    "activity",
    "return",
    "check",
)


def made_code(guild: Guild, *, uses: int = 1) -> NewCode:
    rewards = [Reward(RewardKind.XP, amount=100)]
    (made,) = generate_codes(caller_for(guild.bot.owner), bot_id=guild.bot_id, rewards=rewards, max_uses=uses)
    return made


def test_the_list_has_each_bot_with_its_numbers(owner: Client, bot: Bot) -> None:
    guild = GuildFactory(bot=bot)
    GuildFactory(bot=bot, left_at=timezone.now())
    TicketFactory(guild=guild)
    TicketFactory(guild=guild, status="closed", closed_at=timezone.now())
    CommandInvocationFactory.create_batch(3, bot=bot)
    CommandInvocationFactory(bot=bot, at=timezone.now() - timedelta(hours=25))
    hour = ActivityBucketFactory(guild=guild).hour
    ActivityBucketFactory(guild=guild, hour=hour - timedelta(hours=9))
    (line,) = owner.get("/dashboard/bots/").context["lines"]
    assert (line.bot, line.guilds, line.open_tickets, line.commands_today, line.last_active) == (bot, 1, 1, 3, hour)


def test_the_list_takes_as_many_queries_for_ten_bots_as_for_one(
    owner: Client, bot: Bot, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    owner.get("/dashboard/bots/")
    with django_assert_num_queries(6) as one:
        owner.get("/dashboard/bots/")
    BotFactory.create_batch(9, owner=bot.owner)
    with django_assert_num_queries(len(one)):
        owner.get("/dashboard/bots/")


@pytest.mark.parametrize("section", SECTIONS)
def test_somebody_elses_bot_is_not_found_in_any_section(owner: Client, bot: Bot, section: str) -> None:
    theirs = BotFactory()
    assert owner.get(f"/dashboard/bots/{bot.pk}/{section}").status_code == 200
    assert owner.get(f"/dashboard/bots/{theirs.pk}/{section}").status_code == 404


def test_somebody_elses_rows_are_not_found_under_ones_own_bot_either(owner: Client, bot: Bot) -> None:
    theirs = TicketFactory()
    case = ModerationCaseFactory()
    code = made_code(GuildFactory())
    for address in (
        f"tickets/{theirs.pk}",
        f"tickets/{theirs.pk}/transcript",
        f"cases/{case.pk}",
        f"gift-codes/{code.row.pk}",
        f"gift-codes/{code.row.pk}/revoke",
    ):
        assert owner.get(f"/dashboard/bots/{bot.pk}/{address}").status_code == 404, address
    assert owner.get(f"/dashboard/bots/{theirs.bot.pk}/tickets/{theirs.pk}").status_code == 404


def test_a_ticket_is_not_found_under_another_bot_of_the_same_owner(owner: Client, bot: Bot) -> None:
    other = BotFactory(owner=bot.owner)
    ticket = TicketFactory(guild=GuildFactory(bot=bot))
    assert owner.get(f"/dashboard/bots/{bot.pk}/tickets/{ticket.pk}").status_code == 200
    assert owner.get(f"/dashboard/bots/{other.pk}/tickets/{ticket.pk}").status_code == 404


@pytest.mark.parametrize("section", ["tickets", "cases", "gift-codes"])
def test_a_list_can_begin_with_the_oldest_and_goes_on_to_newer_ones(owner: Client, bot: Bot, section: str) -> None:
    subscribe(bot.owner)
    guild = GuildFactory(bot=bot)
    make: dict[str, Callable[[], list[Any]]] = {
        "tickets": lambda: TicketFactory.create_batch(30, guild=guild),
        "cases": lambda: ModerationCaseFactory.create_batch(30, guild=guild),
        "gift-codes": lambda: [made_code(guild).row for _ in range(30)],
    }
    rows = make[section]()
    address = f"/dashboard/bots/{bot.pk}/{section}"
    first = owner.get(f"{address}?sort=created")
    cursor = first.context["page"].next_cursor
    rest = owner.get(f"{address}?sort=created&cursor={cursor}")
    assert [row.pk for row in (*first.context["page"].rows, *rest.context["page"].rows)] == [row.pk for row in rows]
    assert f'href="?sort=created&amp;cursor={cursor}">Newer' in first.text
    assert 'aria-sort="ascending"><a href="?">' in rest.text
    # The cursor of one order does not continue the other.
    assert owner.get(f"{address}?cursor={cursor}").status_code == 400


def test_a_code_names_who_redeemed_it_page_by_page_newest_first(
    owner: Client, bot: Bot, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    subscribe(bot.owner)
    guild = GuildFactory(bot=bot)
    made = made_code(guild, uses=30)
    address = f"/dashboard/bots/{bot.pk}/gift-codes/{made.row.pk}"
    assert "Nobody has redeemed it" in owner.get(address).text
    redeem(guild, Redeemer(1, "member1\u202e<b>"), made.code)
    with django_assert_num_queries(10) as one:
        assert "member1[U+202E]&lt;b&gt;" in owner.get(address).text
    for user in range(2, 31):
        redeem(guild, Redeemer(user, f"member{user}"), made.code)
    with django_assert_num_queries(len(one)):
        first = owner.get(address).context["page"]
    older = owner.get(f"{address}?cursor={first.next_cursor}").context["page"]
    assert [redemption.user_id for redemption in first.rows + older.rows] == list(range(30, 0, -1))
    assert older.next_cursor is None


def test_tickets_are_narrowed_by_what_the_address_says(owner: Client, bot: Bot) -> None:
    harbour, dock = GuildFactory.create_batch(2, bot=bot)
    here = TicketFactory(guild=harbour)
    TicketFactory(guild=dock)
    TicketFactory(guild=harbour, status="closed", closed_at=timezone.now())
    answer = owner.get(f"/dashboard/bots/{bot.pk}/tickets", {"status": "open", "guild": str(harbour.discord_id)})
    assert answer.context["page"].rows == [here]


@pytest.mark.parametrize("query", ["status=nonsense", "guild=abc", "guild=999", "status=&guild="])
def test_a_filter_that_is_no_choice_of_ours_is_left_out(owner: Client, bot: Bot, query: str) -> None:
    ticket = TicketFactory(guild=GuildFactory(bot=bot))
    answer = owner.get(f"/dashboard/bots/{bot.pk}/tickets?{query}")
    assert answer.context["page"].rows == [ticket]


def test_older_tickets_are_reached_page_by_page_and_the_filter_stays(owner: Client, bot: Bot) -> None:
    guild = GuildFactory(bot=bot)
    for age in range(60):
        TicketFactory(guild=guild, created_at=timezone.now() - timedelta(hours=age))
    seen: list[int] = []
    url, query = f"/dashboard/bots/{bot.pk}/tickets", "?status=open"
    for _ in range(3):
        answer = owner.get(url + query)
        seen += [ticket.pk for ticket in answer.context["page"].rows]
        cursor = answer.context["page"].next_cursor
        if cursor:
            query = f"?status=open&cursor={cursor}"
            assert query.replace("&", "&amp;") in answer.text
    assert len(seen) == len(set(seen)) == 60
    assert cursor is None


def test_a_foreign_cursor_is_refused_with_what_to_do(owner: Client, bot: Bot) -> None:
    answer = owner.get(f"/dashboard/bots/{bot.pk}/tickets?cursor=garbage")
    assert answer.status_code == 400
    assert "begin again" in answer.text


def test_what_strangers_wrote_is_escaped_and_made_visible(owner: Client, bot: Bot) -> None:
    ticket = TicketFactory(guild=GuildFactory(bot=bot, name="<i>Dock</i>"), subject="\u202e<script>alert(1)</script>")
    TicketMessageFactory(ticket=ticket, content="<img src=x onerror=alert(2)> [x](javascript:alert(3)) **bold**")
    for address in ("tickets", f"tickets/{ticket.pk}", ""):
        page = owner.get(f"/dashboard/bots/{bot.pk}/{address}").text
        assert "[U+202E]&lt;script&gt;" in page, address
        assert "<script>" not in page
        assert "<i>Dock" not in page
    page = owner.get(f"/dashboard/bots/{bot.pk}/tickets/{ticket.pk}").text
    assert "<img" not in page
    assert 'href="javascript' not in page
    assert "<strong>bold</strong>" in page


def test_the_transcript_stands_under_a_policy_that_lets_nothing_run(owner: Client, bot: Bot) -> None:
    ticket = TicketFactory(guild=GuildFactory(bot=bot))
    answer = owner.get(f"/dashboard/bots/{bot.pk}/tickets/{ticket.pk}/transcript")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert "unsafe" not in policy


def test_cases_are_found_by_the_members_id(owner: Client, bot: Bot) -> None:
    guild = GuildFactory(bot=bot)
    case = ModerationCaseFactory(guild=guild)
    ModerationCaseFactory(guild=guild)
    answer = owner.get(f"/dashboard/bots/{bot.pk}/cases?user={case.user_id}")
    assert answer.context["page"].rows == [case]


@pytest.mark.parametrize("user", ["abc", "9" * 19, "9" * 200, "%00", "-1"])
def test_a_members_id_that_is_none_is_left_out(owner: Client, bot: Bot, user: str) -> None:
    case = ModerationCaseFactory(guild=GuildFactory(bot=bot))
    assert owner.get(f"/dashboard/bots/{bot.pk}/cases?user={user}").context["page"].rows == [case]


@pytest.mark.parametrize("number", ["0", "9" * 19, "9" * 400])
def test_an_address_with_a_number_that_no_row_can_have_is_not_found(owner: Client, bot: Bot, number: str) -> None:
    addresses = (
        f"{number}/",
        f"{bot.pk}/tickets/{number}",
        f"{bot.pk}/cases/{number}",
        f"{bot.pk}/gift-codes/{number}/revoke",
    )
    for address in addresses:
        assert owner.get(f"/dashboard/bots/{address}").status_code == 404, address


@pytest.mark.parametrize(("days", "bars"), [("1", 24), ("7", 168), ("30", 30), ("90", 90), ("364", 52)])
def test_every_hour_day_or_week_of_the_period_has_its_bar_also_where_nothing_happened(
    owner: Client, bot: Bot, days: str, bars: int
) -> None:
    ActivityBucketFactory(guild=GuildFactory(bot=bot), messages=7, voice_seconds=180, commands=2)
    messages, voice, commands = owner.get(f"/dashboard/bots/{bot.pk}/activity?days={days}").context["charts"]
    assert len(messages.points) == bars
    assert (messages.total, voice.total, commands.total) == ("7", "3", "2")
    assert messages.points[-1].value == 7


def test_every_page_of_a_sandbox_bot_says_so(client: Client, db: None) -> None:
    bot = BotFactory(sandbox=True)
    client.force_login(bot.owner)
    ticket = TicketFactory(guild=GuildFactory(bot=bot))
    pages = [f"/dashboard/bots/{bot.pk}/{section}" for section in SECTIONS]
    pages += ["/dashboard/", "/dashboard/bots/", f"/dashboard/bots/{bot.pk}/tickets/{ticket.pk}"]
    for page in pages:
        assert "nobody on Discord is warned, kicked or banned" in client.get(page).text, page


def test_a_bot_whose_token_is_refused_says_what_to_do(owner: Client, bot: Bot) -> None:
    Bot.objects.filter(pk=bot.pk).update(status="unauthorized")
    page = owner.get(f"/dashboard/bots/{bot.pk}/").text
    assert "Discord refuses this bot" in page
    assert f"/dashboard/bots/{bot.pk}/check" in page


def test_the_token_is_never_shown(owner: Client, bot: Bot) -> None:
    for section in SECTIONS:
        assert bot.token not in owner.get(f"/dashboard/bots/{bot.pk}/{section}").text


def test_somebody_without_bots_is_told_what_a_bot_brings_and_how_to_add_one(client: Client, db: None) -> None:
    client.force_login(UserFactory.create())
    for address in ("/dashboard/", "/dashboard/bots/"):
        page = client.get(address).text
        assert "No bots yet" in page
        assert 'href="/dashboard/bots/add"' in page
