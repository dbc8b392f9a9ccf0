"""Making a schedule in a real browser: the next times follow what is typed."""

from typing import Any

from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.agents_hub.factories import member_of
from tests.browser.conftest import sign_in
from tests.workflows.factories import published_agent
from workflows.models import Schedule


def test_the_next_times_follow_what_is_typed_until_it_is_saved(
    page: Page, live_server: Any, transactional_db: None
) -> None:
    agent = published_agent()
    sign_in(page.context, member_of(agent.organization), live_server.url)
    page.goto(live_server.url + reverse("workflows:new-schedule", args=[agent.pk]))
    page.get_by_label("Name").fill("Morning report")
    shown = page.locator("#next-runs")
    page.get_by_label("When").press_sequentially("30 9 * * MON")
    expect(shown).to_contain_text("At 09:30 on Monday.")
    expect(shown.locator("li")).to_have_count(5)
    page.get_by_label("Time zone").fill("Asia/Kolkata")
    page.get_by_label("Time zone").blur()
    expect(shown).to_contain_text("(IST)")
    page.get_by_label("When").fill("30 99 * * MON")
    expect(shown).to_contain_text("The hour in")
    page.get_by_label("When").fill("0 8 * * *")
    expect(shown).to_contain_text("At 08:00 every day.")
    page.get_by_label("order").fill("A-117")
    page.get_by_label("shop").fill("Pier 9")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Morning report")
    assert Schedule.objects.values_list("cron_expression", "time_zone").get() == ("0 8 * * *", "Asia/Kolkata")
