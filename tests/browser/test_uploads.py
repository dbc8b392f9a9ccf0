"""Files uploaded on an agent's page in a real browser: how far it is shows while it goes, and ends in the list."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from agents_hub.models import Agent, SharedFile
from tests.agents_hub.factories import AgentFactory, member_of
from tests.browser.conftest import sign_in
from tests.file_storage import keep_files_in

SIZE = 600_000
BYTES_A_SECOND = 600_000
# What the bar showed and what was said, kept where the reload at the end does not reach.
WATCH = """() => new MutationObserver(() => {
    const seen = JSON.parse(sessionStorage.getItem("seen") ?? "[]");
    const [bar, status] = ["progress", "[role=status]"].map((one) => document.querySelector(`form ${one}`));
    sessionStorage.setItem("seen", JSON.stringify([...seen, [bar?.value ?? 0, status?.textContent ?? ""]]));
}).observe(document.body, { subtree: true, childList: true, attributeFilter: ["value"] })"""


@pytest.fixture
def at_agent(page: Page, live_server: Any, transactional_db: None, settings: Settings, tmp_path: Path) -> Page:
    """The page of an agent without files, before one of its organization's members."""
    keep_files_in(tmp_path / "files", settings)
    agent: Agent = AgentFactory()
    sign_in(page.context, member_of(agent.organization), live_server.url)
    page.goto(f"{live_server.url}/dashboard/agents/{agent.pk}/")
    return page


def test_an_upload_over_a_slow_line_shows_how_far_it_is_and_ends_in_the_list(at_agent: Page, tmp_path: Path) -> None:
    file = tmp_path / "chart of the outer dock.bin"
    file.write_bytes(b"\x00\x01" * (SIZE // 2))
    line = at_agent.context.new_cdp_session(at_agent)
    line.send("Network.enable")
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": BYTES_A_SECOND},
    )
    at_agent.evaluate(WATCH)
    at_agent.get_by_label("Files", exact=True).set_input_files(file)
    at_agent.get_by_role("button", name="Upload").click()
    expect(at_agent.get_by_role("link", name=file.name, exact=True)).to_be_visible(timeout=60_000)
    seen = at_agent.evaluate("JSON.parse(sessionStorage.getItem('seen'))")
    shown, said = zip(*seen, strict=True)
    assert list(shown) == sorted(shown)
    assert any(re.fullmatch(r"[1-9]\d? % sent", words) for words in said)
    assert seen[-1] == [100, "Storing"]
    assert SharedFile.objects.get().size == SIZE


def test_an_upload_that_is_refused_says_why_under_the_field_and_can_be_sent_again(
    at_agent: Page, tmp_path: Path
) -> None:
    file = tmp_path / "tides.txt"
    file.write_text("low 04:10")
    for _ in range(2):
        at_agent.get_by_label("Files", exact=True).set_input_files(file)
        at_agent.get_by_role("button", name="Upload").click()
        expect(at_agent.get_by_role("link", name=file.name, exact=True)).to_be_visible()
    field = at_agent.get_by_label("Files", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(at_agent.locator(".errors")).to_contain_text("already")
    other = tmp_path / "berths.txt"
    other.write_text("7")
    field.set_input_files(other)
    at_agent.get_by_role("button", name="Upload").click()
    expect(at_agent.get_by_role("link", name=other.name, exact=True)).to_be_visible()
    assert SharedFile.objects.count() == 2


def test_an_upload_over_a_line_that_breaks_says_that_nothing_was_kept(at_agent: Page, tmp_path: Path) -> None:
    file = tmp_path / "tides.txt"
    file.write_text("low 04:10")
    # A page of its own: the broken line is an error in the console, as it should be.
    page = at_agent.context.new_page()
    page.goto(at_agent.url)
    page.route("**/dashboard/agents/**", lambda route: route.abort("connectionreset"))
    page.get_by_label("Files", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status")).to_contain_text("nothing of it was kept")
    expect(page.get_by_role("button", name="Upload")).to_be_enabled()
    expect(page.get_by_role("progressbar")).to_have_count(0)
