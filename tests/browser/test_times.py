"""Times on a page that stays open: they go on, and they are the viewer's own."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import Role, User
from tests.browser.conftest import sign_in
from tests.factories import MembershipFactory
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from workflows.models import Execution


@pytest.fixture
def person(transactional_db: None) -> User:
    member: User = MembershipFactory(role=Role.MEMBER).user
    return member


@pytest.fixture
def execution(person: User) -> Execution:
    made: Execution = ExecutionFactory(workflow=WorkflowFactory(agent__organization=person.organizations.get()))
    return made


def test_what_was_just_now_is_told_as_past_while_the_page_stays_open(
    page: Page, live_server: Any, person: User, execution: Execution
) -> None:
    page.clock.install(time=timezone.now())
    sign_in(page.context, person, live_server.url)
    # A list that does not ask for itself again and again.
    page.goto(live_server.url + reverse("workflows:versions", args=[execution.agent_id]))
    made = page.locator("tbody time")
    expect(made).to_have_text("just now")
    page.clock.run_for(150_000)
    expect(made).to_have_text("2 minutes ago")


def test_a_clock_that_is_slow_makes_nothing_that_was_come(
    page: Page, live_server: Any, person: User, execution: Execution
) -> None:
    page.clock.install(time=timezone.now() - timedelta(minutes=10))
    sign_in(page.context, person, live_server.url)
    page.goto(live_server.url + reverse("workflows:executions"))
    expect(page.locator("tbody time")).to_have_text("just now")


def test_moments_are_shown_and_asked_for_in_the_viewers_zone(
    chromium: Browser, live_server: Any, person: User, execution: Execution
) -> None:
    context = chromium.new_context(timezone_id="Asia/Tokyo", reduced_motion="reduce")
    sign_in(context, person, live_server.url)
    page = context.new_page()
    page.goto(live_server.url + reverse("workflows:executions"))
    # By the clock on the viewer's wall, nine hours past UTC.
    wall = execution.created_at + timedelta(hours=9)
    page.locator("tbody time").hover()
    expect(page.locator("tbody time")).to_have_attribute("title", f"{wall:%-d %B %Y} at {wall:%H:%M:%S} GMT+9")
    for minutes, listed in ((-30, 1), (30, 0)):
        page.get_by_label("Started after (Asia/Tokyo)").fill(f"{wall + timedelta(minutes=minutes):%Y-%m-%dT%H:%M}")
        page.get_by_role("button", name="Apply").click()
        page.wait_for_url("**time_zone=Asia%2FTokyo**")
        expect(page.locator("tbody tr")).to_have_count(listed)
    # Somebody elsewhere who opens this address is asked of the same moments.
    elsewhere = chromium.new_context(timezone_id="America/New_York", reduced_motion="reduce")
    sign_in(elsewhere, person, live_server.url)
    other = elsewhere.new_page()
    other.goto(page.url)
    expect(other.get_by_label("Started after (Asia/Tokyo)")).to_be_visible()
    other.get_by_label("Started after").fill("")
    other.get_by_role("button", name="Apply").click()
    expect(other.get_by_label("Started after (America/New_York)")).to_be_visible()
    assert "time_zone" not in other.url
    context.close()
    elsewhere.close()
