"""Acting from the pages: each form is a door to the service that the tools use."""

import re
from typing import Any

import pytest
from django.test import Client

from bots.models import Bot, GiftCode, ModerationCase, RoiSettings, Ticket
from security.models import AuditEntry
from tests.bots.conftest import Harbour
from tests.bots.factories import BotFactory, GuildFactory, TicketFactory, subscribe

REWARDS = {"reward-TOTAL_FORMS": "1", "reward-INITIAL_FORMS": "0", "reward-0-kind": "XP", "reward-0-amount": "100"}


def hidden(answer: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.text)
    assert found, f"the page has no field {name}"
    return found[1]


def test_closing_a_ticket_keeps_the_reason_and_who_it_was(owner: Client, bot: Bot) -> None:
    ticket = TicketFactory(guild=GuildFactory(bot=bot))
    answer = owner.post(f"/dashboard/bots/{bot.pk}/tickets/{ticket.pk}", {"reason": "Solved"}, follow=True)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.close_reason, ticket.closed_by) == ("closed", "Solved", bot.owner)
    assert f"Ticket {ticket.number} is closed." in answer.text
    entry = AuditEntry.objects.get(action="ticket.close")
    assert (entry.door, entry.user_id, entry.ip) == ("page", bot.owner_id, "127.0.0.1")


def test_closing_a_closed_ticket_says_so_and_changes_nothing(owner: Client, bot: Bot) -> None:
    ticket = TicketFactory(guild=GuildFactory(bot=bot))
    address = f"/dashboard/bots/{bot.pk}/tickets/{ticket.pk}"
    owner.post(address, {"reason": "Solved"})
    answer = owner.post(address, {"reason": "Solved again"})
    assert answer.status_code == 422
    assert "was closed already" in str(answer.context["form"].non_field_errors())
    assert Ticket.objects.get(pk=ticket.pk).close_reason == "Solved"


def test_an_empty_reason_is_asked_for_under_its_field(owner: Client, bot: Bot) -> None:
    ticket = TicketFactory(guild=GuildFactory(bot=bot))
    answer = owner.post(f"/dashboard/bots/{bot.pk}/tickets/{ticket.pk}", {"reason": "  "})
    assert answer.status_code == 422
    assert 'aria-describedby="id_reason_helptext id_reason_error"' in answer.text


def form_of(harbour: Harbour, client: Client, action: str, **more: str) -> tuple[str, dict[str, str]]:
    client.force_login(harbour.bot.owner)
    address = f"/dashboard/bots/{harbour.bot.pk}/cases/{action}"
    return address, {
        "guild": str(harbour.guild.discord_id),
        "user_id": str(harbour.member_id),
        "reason": "Spam",
        "request_key": hidden(client.get(address), "request_key"),
        **more,
    }


def test_a_kick_is_asked_about_before_it_is_done(client: Client, harbour: Harbour) -> None:
    address, form = form_of(harbour, client, "kick")
    asked = client.post(address, form)
    assert "may come back with an invitation" in asked.text
    assert not ModerationCase.objects.exists()
    assert harbour.member_id in harbour.there.members
    done = client.post(address, {**form, "confirmed": "yes"}, follow=True)
    assert "Case 1: kick of mira." in done.text
    assert harbour.member_id not in harbour.there.members


def test_sending_the_confirmation_twice_bans_once(client: Client, harbour: Harbour) -> None:
    address, form = form_of(harbour, client, "ban", duration="604800", delete_messages="0", confirmed="yes")
    first = client.post(address, form)
    second = client.post(address, form)
    assert first.headers["Location"] == second.headers["Location"]
    case = ModerationCase.objects.get()
    assert (case.action, case.status, case.duration_seconds) == ("tempban", "applied", 604_800)


def test_going_back_from_the_question_keeps_what_was_typed(client: Client, harbour: Harbour) -> None:
    address, form = form_of(harbour, client, "ban", duration="3600", delete_messages="86400")
    answer = client.post(address, {**form, "change": "yes"})
    assert not ModerationCase.objects.exists()
    assert "Spam" in answer.text
    assert '<option value="3600" selected>' in answer.text


def test_what_discord_refuses_is_said_on_the_form_with_everything_typed(client: Client, harbour: Harbour) -> None:
    address, form = form_of(harbour, client, "kick", confirmed="yes")
    answer = client.post(address, {**form, "user_id": str(harbour.boss_id)})
    assert answer.status_code == 422
    assert answer.context["form"].non_field_errors()
    assert str(harbour.boss_id) in answer.text
    assert harbour.boss_id in harbour.there.members


def test_a_warning_needs_no_second_question(client: Client, harbour: Harbour) -> None:
    address, form = form_of(harbour, client, "warn")
    assert client.post(address, form).status_code == 302
    assert ModerationCase.objects.get().action == "warn"


def test_a_mute_holds_for_its_time_and_is_lifted_from_its_case(client: Client, harbour: Harbour) -> None:
    address, form = form_of(harbour, client, "mute", duration="3600")
    case = client.post(address, form, follow=True)
    until = harbour.there.members[harbour.member_id].timed_out_until
    assert until is not None
    lift = re.search(r'href="([^"]+)">Unmute<', case.text)
    assert lift
    asked = client.get(lift[1].replace("&amp;", "&"))
    assert asked.context["form"]["user_id"].value() == str(harbour.member_id)
    assert asked.context["form"]["guild"].value() == harbour.guild.discord_id
    address, form = form_of(harbour, client, "unmute")
    lifted = client.post(address, form, follow=True)
    assert harbour.there.members[harbour.member_id].timed_out_until is None
    assert ">Unmute<" not in lifted.text
    assert dict(ModerationCase.objects.values_list("action", "status")) == {"mute": "revoked", "unmute": "applied"}


def test_a_ban_is_lifted_and_there_is_nothing_to_lift_afterwards(client: Client, harbour: Harbour) -> None:
    banned = client.post(
        *form_of(harbour, client, "ban", duration="", delete_messages="0", confirmed="yes"), follow=True
    )
    assert harbour.member_id in harbour.there.bans
    assert ">Unban<" in banned.text
    client.post(*form_of(harbour, client, "unban"))
    assert harbour.member_id not in harbour.there.bans
    ban = ModerationCase.objects.get(action="ban")
    assert ban.status == "revoked"
    assert ">Unban<" not in client.get(f"/dashboard/bots/{harbour.bot.pk}/cases/{ban.pk}").text


@pytest.mark.parametrize("typed", ["mira", "-5", "9" * 19, "1" * 21, "\u0661" * 18, "1.5", ""])
def test_an_id_that_is_none_is_explained(client: Client, harbour: Harbour, typed: str) -> None:
    address, form = form_of(harbour, client, "warn")
    answer = client.post(address, {**form, "user_id": typed})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"user_id"}


def test_generated_codes_are_shown_once_and_a_second_sending_makes_no_more(owner: Client, bot: Bot) -> None:
    address = f"/dashboard/bots/{bot.pk}/gift-codes/new"
    form = {"quantity": "3", "max_uses": "5", "token": hidden(owner.get(address), "token"), **REWARDS}
    answer = owner.post(address, form)
    codes = re.findall(r"<code>([0-9A-Z-]{29})</code>", answer.text)
    assert len(codes) == 3
    assert "no-store" in answer.headers["Cache-Control"]
    again = owner.post(address, form, follow=True)
    assert "sent already" in again.text
    assert GiftCode.objects.count() == 3
    assert not any(code in again.text for code in codes)


def test_the_plans_limit_is_said_on_the_form(owner: Client, bot: Bot) -> None:
    subscribe(bot.owner, max_redemptions_per_code=50)
    address = f"/dashboard/bots/{bot.pk}/gift-codes/new"
    form = {"quantity": "1", "max_uses": "51", "token": hidden(owner.get(address), "token"), **REWARDS}
    answer = owner.post(address, form)
    assert answer.status_code == 422
    assert "includes 50 redemptions per code" in answer.text
    assert 'value="51"' in answer.text
    assert owner.post(address, {**form, "max_uses": "50", "token": hidden(answer, "token")}).status_code == 200


def test_a_reward_is_asked_for_what_its_kind_needs(owner: Client, bot: Bot) -> None:
    address = f"/dashboard/bots/{bot.pk}/gift-codes/new"
    form = {"quantity": "1", "max_uses": "1", "token": hidden(owner.get(address), "token"), **REWARDS}
    answer = owner.post(address, {**form, "reward-0-kind": "TEMP_ROLE"})
    assert set(answer.context["rewards"].errors[0]) == {"role_id", "hours"}
    assert not GiftCode.objects.exists()


def test_revoking_a_code_is_asked_about_and_then_done(owner: Client, bot: Bot) -> None:
    address = f"/dashboard/bots/{bot.pk}/gift-codes/new"
    owner.post(address, {"quantity": "1", "max_uses": "1", "token": hidden(owner.get(address), "token"), **REWARDS})
    code = GiftCode.objects.get()
    revoke = f"/dashboard/bots/{bot.pk}/gift-codes/{code.pk}/revoke"
    assert "cannot be made valid again" in owner.get(revoke).text
    assert GiftCode.objects.get().status == "active"
    assert "is revoked." in owner.post(revoke, follow=True).text
    assert GiftCode.objects.get().status == "revoked"
    assert "was revoked already" in owner.post(revoke, follow=True).text


def test_the_minutes_of_the_estimate_are_the_owners_to_change(owner: Client, bot: Bot) -> None:
    address = f"/dashboard/bots/{bot.pk}/return"
    assert owner.post(address, {"per_answer": "1.5", "per_ticket": "10", "per_moderation": "0"}).status_code == 302
    kept = RoiSettings.objects.get(bot=bot)
    assert (kept.minutes_per_answer, kept.minutes_per_ticket, kept.minutes_per_moderation) == (1.5, 10, 0)
    refused = owner.post(address, {"per_answer": "1441", "per_ticket": "1", "per_moderation": "1"})
    assert refused.status_code == 422
    assert "0 to 1440" in refused.text


def test_a_bot_is_added_by_its_token(client: Client, harbour: Harbour) -> None:
    client.force_login(harbour.bot.owner)
    answer = client.post("/dashboard/bots/add", {"token": "  "})
    assert answer.status_code == 422
    assert Bot.objects.count() == 1


def test_a_new_token_is_stored_only_if_discord_accepts_it_for_this_bot(client: Client, harbour: Harbour) -> None:
    client.force_login(harbour.bot.owner)
    address = f"/dashboard/bots/{harbour.bot.pk}/check"
    before = harbour.bot.token
    other = harbour.world.add_bot("another")
    for refused in ("nonsense", other.token):
        assert client.post(address, {"token": refused}).status_code == 422
        assert Bot.objects.get(pk=harbour.bot.pk).token == before
    Bot.objects.filter(pk=harbour.bot.pk).update(status="unauthorized")
    assert client.post(address, {"token": before}).status_code == 302
    assert Bot.objects.get(pk=harbour.bot.pk).status == "active"


def test_nobody_acts_on_what_is_somebody_elses(owner: Client, bot: Bot) -> None:
    ticket = TicketFactory(guild=GuildFactory(bot=BotFactory()))
    for under in (bot.pk, ticket.bot.pk):
        assert owner.post(f"/dashboard/bots/{under}/tickets/{ticket.pk}", {"reason": "Mine"}).status_code == 404
    ticket.refresh_from_db()
    assert ticket.status == "open"


def test_a_form_without_its_csrf_token_is_refused_in_words(bot: Bot) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bot.owner)
    ticket = TicketFactory(guild=GuildFactory(bot=bot))
    answer = client.post(f"/dashboard/bots/{bot.pk}/tickets/{ticket.pk}", {"reason": "Solved"})
    assert answer.status_code == 403
    assert "load the page anew" in answer.text
