"""What people do here, done in a real browser from the sign-in on."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from bots.models import GiftCode, Ticket
from security.models import AuditEntry
from tests.browser import world
from tests.browser.conftest import sign_in


@pytest.fixture
def owned(transactional_db: None) -> world.World:
    return world.populated()


@pytest.fixture
def at_home(page: Page, live_server: Any, owned: world.World) -> Page:
    """The home page of somebody who has a bot."""
    sign_in(page.context, owned.person, live_server.url)
    page.goto(f"{live_server.url}/dashboard/")
    return page


def test_somebody_signs_in_finds_a_ticket_and_closes_it(page: Page, live_server: Any, owned: world.World) -> None:
    page.goto(live_server.url)
    page.get_by_label("E-mail").fill(owned.person.email)
    page.get_by_label("Password").fill(world.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Harbourmaster", exact=True).click()
    page.get_by_label("Sections of").get_by_role("link", name="Tickets").click()
    page.get_by_label("Status").select_option("open")
    expect(page).to_have_url(re.compile(r"status=open"))
    page.get_by_role("link", name="I cannot see").first.click()
    page.get_by_label("Reason").fill("The channel is back.")
    page.locator("#close").get_by_role("button", name="Close ticket").click()
    expect(page.get_by_role("status")).to_contain_text("is closed")
    expect(page.locator("h1")).to_contain_text("Closed")
    assert Ticket.objects.filter(close_reason="The channel is back.").exists()
    assert AuditEntry.objects.filter(action="ticket.close", door="page", user_id=owned.person.pk).exists()


def test_a_ticket_is_not_closed_without_a_reason_and_the_field_says_so(at_home: Page, live_server: Any) -> None:
    ticket = Ticket.objects.filter(status="open").latest("created_at")
    at_home.goto(f"{live_server.url}/dashboard/bots/{ticket.bot_id}/tickets/{ticket.pk}")
    with at_home.expect_response(lambda response: response.request.method == "POST") as answer:
        at_home.locator("#close").get_by_role("button", name="Close ticket").click()
    assert answer.value.status == 422
    reason = at_home.get_by_label("Reason")
    expect(reason).to_be_focused()
    expect(reason).to_have_attribute("aria-invalid", "true")
    ticket.refresh_from_db()
    assert ticket.status == "open"


def test_the_jump_list_is_opened_walked_and_followed_by_keyboard_alone(at_home: Page, owned: world.World) -> None:
    at_home.keyboard.press("Control+k")
    dialog = at_home.get_by_role("dialog", name="Jump to")
    expect(dialog).to_be_visible()
    late: list[Route] = []
    at_home.route("**/jump?q=harbourm", lambda route: late.append(route))
    at_home.keyboard.insert_text("harbour")
    expect(dialog.get_by_role("link").first).to_contain_text("Harbourmaster")
    with at_home.expect_request("**/jump?q=harbourm"):
        at_home.keyboard.insert_text("m")
    at_home.keyboard.press("ArrowDown")
    at_home.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("link", name="Harbourmaster: Tickets")).to_be_focused()
    # What comes after somebody began to walk takes nothing from under them.
    with at_home.expect_event("requestfinished", lambda request: request.url.endswith("q=harbourm")):
        late[0].continue_()
    expect(dialog.get_by_role("link", name="Harbourmaster: Tickets")).to_be_focused()
    at_home.keyboard.press("Enter")
    expect(at_home).to_have_url(re.compile(rf"/dashboard/bots/{owned.bot.pk}/tickets$"))


def test_escape_closes_the_jump_list_and_gives_focus_back(at_home: Page) -> None:
    opener = at_home.get_by_role("link", name="Jump to")
    opener.focus()
    at_home.keyboard.press("Enter")
    expect(at_home.get_by_role("dialog")).to_be_visible()
    at_home.keyboard.press("Escape")
    expect(at_home.get_by_role("dialog")).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_skip_link_leads_past_the_rail(at_home: Page) -> None:
    at_home.keyboard.press("Tab")
    at_home.keyboard.press("Enter")
    at_home.keyboard.press("Tab")
    assert at_home.evaluate("document.activeElement.closest('main') !== null")


def test_on_a_phone_the_rail_is_a_drawer_that_opens_and_closes(at_home: Page) -> None:
    at_home.set_viewport_size({"width": 360, "height": 740})
    rail = at_home.get_by_role("navigation", name="Main")
    expect(rail).to_be_hidden()
    at_home.get_by_role("button", name="Menu").click()
    expect(rail).to_be_visible()
    at_home.keyboard.press("Escape")
    expect(rail).to_be_hidden()


def test_a_gift_code_is_shown_once_and_a_reload_makes_no_second_one(at_home: Page, live_server: Any) -> None:
    before = GiftCode.objects.count()
    bot_id = GiftCode.objects.earliest("pk").bot_id
    at_home.goto(f"{live_server.url}/dashboard/bots/{bot_id}/gift-codes/new")
    at_home.get_by_label("Kind").first.select_option("XP")
    at_home.get_by_label("Amount of XP or currency").first.fill("250")
    at_home.get_by_role("button", name="Generate codes").click()
    code = at_home.locator(".secret code").inner_text()
    assert len(code) == 29
    assert GiftCode.objects.count() == before + 1
    at_home.reload()
    expect(at_home.get_by_role("status")).to_contain_text("sent already")
    assert GiftCode.objects.count() == before + 1
    assert code not in at_home.content()


def test_copying_puts_the_code_on_the_clipboard(at_home: Page, live_server: Any, owned: world.World) -> None:
    at_home.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    at_home.clock.install()  # the label stands for as long as the test looks
    at_home.clock.pause_at("2100-01-01")
    at_home.goto(f"{live_server.url}/dashboard/bots/{owned.bot.pk}/")
    at_home.get_by_role("button", name="Copy the application's id").click()
    expect(at_home.get_by_role("button", name="Copied")).to_be_visible()
    assert at_home.evaluate("navigator.clipboard.readText()") == str(owned.bot.application_id)
    at_home.get_by_role("button", name="Copied").click()
    at_home.clock.run_for(2_000)
    expect(at_home.get_by_role("button", name="Copy the application's id")).to_be_visible()


def test_a_bar_of_a_chart_says_its_value_and_the_arrows_lead_to_the_next(
    at_home: Page, live_server: Any, owned: world.World
) -> None:
    at_home.goto(f"{live_server.url}/dashboard/bots/{owned.bot.pk}/activity")
    bars = at_home.locator(".chart").first.locator("g[tabindex]")
    bars.first.focus()
    expect(bars.first.locator(".value")).to_be_visible()
    at_home.keyboard.press("ArrowRight")
    expect(bars.nth(1)).to_be_focused()
    expect(bars.nth(1).locator(".value")).to_be_visible()
    expect(bars.first.locator(".value")).to_be_hidden()


def test_a_new_ticket_appears_in_the_list_without_a_reload(at_home: Page, live_server: Any, owned: world.World) -> None:
    at_home.clock.install()
    at_home.goto(f"{live_server.url}/dashboard/bots/{owned.bot.pk}/tickets")
    newest = Ticket.objects.latest("created_at")
    newest.pk, newest.number, newest.subject = None, 4_000, "Came while the page was open"
    newest.save()
    at_home.clock.run_for(21_000)
    expect(at_home.get_by_role("link", name="Came while the page was open")).to_be_visible()


def test_a_list_that_can_no_longer_be_refreshed_keeps_what_it_showed_and_says_so(
    page: Page, live_server: Any, owned: world.World
) -> None:
    sign_in(page.context, owned.person, live_server.url)
    page.clock.install()
    page.goto(f"{live_server.url}/dashboard/bots/{owned.bot.pk}/tickets")
    rows = page.locator("#tickets tbody tr").count()
    page.context.clear_cookies()
    page.clock.run_for(21_000)
    expect(page.locator("#tickets .live")).to_have_text("Not updating: the last answer failed")
    assert page.locator("#tickets tbody tr").count() == rows > 0
