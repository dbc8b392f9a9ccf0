"""`manage.py bot`, the schedule, and what the guide says against what the code does."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from celery import current_app
from django.core.management import CommandError, call_command
from pytest_django import Settings

from bots import tasks
from bots.models import Bot, ModerationCase, Ticket
from bots.models.lifecycle import Lifecycle
from tests.bots.conftest import Harbour
from tests.bots.factories import subscribe
from tests.factories import UserFactory

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "bots.md"


def bot(*arguments: str) -> str:
    output = io.StringIO()
    call_command("bot", *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, settings: Settings, harbour: Harbour) -> Callable[[str], None]:
    """Standard input; and the sandbox stands where Discord is."""
    settings.DISCORD_API_URL = harbour.url
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))


def test_a_bot_is_added_with_the_guilds_it_is_in(harbour: Harbour, typed: Callable[[str], None]) -> None:
    subscribe(person := UserFactory())
    typed(harbour.bot.token)
    assert "harbourmaster" in bot("add", "--owner", person.email.upper())
    added = Bot.objects.get(owner=person)
    assert (added.application_id, added.token, added.sandbox) == (harbour.bot.application_id, harbour.bot.token, False)
    assert [guild.name for guild in added.guilds.all()] == ["Harbour"]


def test_a_token_that_discord_refuses_is_not_stored(harbour: Harbour, typed: Callable[[str], None]) -> None:
    person = UserFactory()
    typed("sandbox.unknown")
    with pytest.raises(CommandError, match="token is not accepted"):
        bot("add", "--owner", person.email)
    assert not Bot.objects.filter(owner=person).exists()


def test_the_plan_limits_bots_and_guilds(harbour: Harbour, typed: Callable[[str], None]) -> None:
    person = UserFactory()
    for limits in ({"max_bots": 0}, {"max_guilds": 0}):
        subscribe(person, **limits)
        typed(harbour.bot.token)
        with pytest.raises(CommandError, match="includes 0"):
            bot("add", "--owner", person.email)


def test_the_same_bot_is_not_added_twice(harbour: Harbour, typed: Callable[[str], None]) -> None:
    typed(harbour.bot.token)
    with pytest.raises(CommandError, match="yours already"):
        bot("add", "--owner", harbour.bot.owner.email)


def test_a_bot_whose_token_was_refused_works_again_with_a_new_one(
    harbour: Harbour, typed: Callable[[str], None]
) -> None:
    Bot.objects.filter(pk=harbour.bot.pk).update(status="unauthorized", last_error="Discord refused")
    login = harbour.world.bots[0]
    harbour.world.bots[0] = login.model_copy(update={"token": "sandbox.anew"})
    with pytest.raises(CommandError, match="token is not accepted"):
        bot("check", str(harbour.bot.pk))
    typed("sandbox.anew")
    bot("check", str(harbour.bot.pk), "--new-token")
    stored = Bot.objects.get(pk=harbour.bot.pk)
    assert (stored.status, stored.last_error, stored.token) == ("active", "", "sandbox.anew")


def test_another_bots_token_is_not_taken_for_this_one(harbour: Harbour, typed: Callable[[str], None]) -> None:
    other = harbour.world.add_bot("other")
    typed(other.token)
    with pytest.raises(CommandError, match="another bot, other"):
        bot("check", str(harbour.bot.pk), "--new-token")
    assert Bot.objects.get(pk=harbour.bot.pk).token == harbour.bot.token


def test_listing_shows_no_token(harbour: Harbour) -> None:
    listed = bot("list")
    assert harbour.bot.name in listed
    assert harbour.bot.token not in listed


@pytest.mark.django_db
def test_whoever_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match=r"nobody@example\.com"):
        bot("list", "--owner", "nobody@example.com")
    with pytest.raises(CommandError, match="no bot 404"):
        bot("check", "404")


@pytest.mark.parametrize("name", sorted(tasks.BEAT))
def test_what_is_scheduled_is_a_task(name: str) -> None:
    assert tasks.BEAT[name]["task"] in current_app.tasks


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(tasks.BEAT))
def test_every_task_runs_with_nothing_to_do(name: str) -> None:
    current_app.tasks[tasks.BEAT[name]["task"]]()


@pytest.mark.parametrize("lifecycle", [Ticket.LIFECYCLE, ModerationCase.LIFECYCLE], ids=["ticket", "case"])
def test_the_guide_shows_the_states_as_they_are(lifecycle: Lifecycle) -> None:
    rows = re.findall(r"^\| (\w+) \| (\w+) \| (\w+) \|$", GUIDE.read_text(encoding="utf-8"), re.M)
    described = {(start, event): end for start, event, end in rows if (start, event) in lifecycle.table}
    assert described == lifecycle.table
