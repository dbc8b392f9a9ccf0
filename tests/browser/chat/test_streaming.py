"""An answer is seen and heard as it comes, with its stream and without, and by nobody who may not."""

import re

from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from accounts.models import User
from agents_hub.models import Agent
from tests.browser.chat.talking import NOT_RELOADED, ask, opened, said
from tests.fakes.model_provider import ModelProvider, Reply

# What scripts ask for, other than by sending a form, is answered as it is now and comes once the test lets it go.
LATE = """window.late = [];
const soon = window.fetch.bind(window);
window.fetch = async (url, options = {}) => {
  const answer = await soon(url, options);
  if ((options.method ?? "GET") !== "GET" || answer.status === 204) return answer;
  document.documentElement.dataset.late = `${document.documentElement.dataset.late ?? ""} ${url}`;
  await new Promise((go) => window.late.push(go));
  return answer;
};"""


def test_a_chat_without_its_stream_polls(
    chromium: Browser, platform: str, person: User, agent: Agent, model: ModelProvider
) -> None:
    context = chromium.new_context()  # of its own: the browser complains in the console of what fails here
    page = context.new_page()
    page.route("**/stream?*", lambda route: route.abort())
    opened(page, platform, person, agent)
    model.answers += [Reply(pieces=("One ", "two ", "three ", "four"), held=True)]
    ask(page, "Count")
    expect(said(page)).to_contain_text("One")
    page.evaluate("window.notReloaded = true")
    model.go.set()
    expect(said(page)).to_have_text("One two three four")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    assert page.evaluate(NOT_RELOADED)
    context.close()


def test_a_page_that_comes_late_is_not_shown_over_a_newer_one(
    page: Page, platform: str, person: User, agent: Agent, model: ModelProvider
) -> None:
    page.add_init_script(LATE)
    page.clock.install()
    opened(page, platform, person, agent)
    ask(page, "Hello?")
    # What is loaded anew when an answer is over, and a poll.
    expect(page.locator("html")).to_have_attribute("data-late", re.compile(re.escape(page.url)))
    page.clock.run_for(2_000)
    expect(page.locator("html")).to_have_attribute("data-late", re.compile("/news"))
    model.answers += [Reply(pieces=("One ", "two ", "three ", "four"), held=True)]
    ask(page, "Count")
    expect(said(page).last).to_contain_text("One")
    page.evaluate("for (const go of late) go()")
    model.go.set()
    expect(said(page).last).to_have_text("One two three four")
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_that_there_is_nothing_new_keeps_no_page_from_being_shown(
    page: Page, platform: str, person: User, agent: Agent, model: ModelProvider
) -> None:
    page.route("**/news?*", lambda route: route.fulfill(status=204))
    page.add_init_script(LATE)
    page.clock.install()
    opened(page, platform, person, agent)
    ask(page, "Hello?")
    # The page is asked for anew when the answer is over, and comes after polls that were answered meanwhile.
    expect(page.locator("html")).to_have_attribute("data-late", re.compile(re.escape(page.url)))
    for _ in range(2):
        with page.expect_request("**/news?*"):
            page.clock.run_for(2_000)
    page.evaluate("for (const go of late) go()")
    expect(page.locator(".message-foot").last).to_contain_text("tokens")


OLDER_PAGE = """() => {
  const older = document.getElementById("chat").cloneNode(true);
  older.dataset.streamAfter = "0";
  for (const tail of older.querySelectorAll(".tail")) tail.textContent = "";
  htmx.swap({ sourceElement: chat, target: chat, text: older.outerHTML, swap: "outerMorph" });
}"""


def test_what_a_stream_told_before_an_older_page_came_is_told_once_more(
    page: Page, platform: str, person: User, agent: Agent, model: ModelProvider
) -> None:
    opened(page, platform, person, agent)
    model.answers += [Reply(pieces=("One ", "two ", "three ", "four"), held=True)]
    ask(page, "Count")
    expect(said(page).last).to_have_text("One two three")
    page.evaluate(OLDER_PAGE)
    expect(said(page).last).to_have_text("One two three")
    model.go.set()
    expect(said(page).last).to_have_text("One two three four")
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_who_leaves_the_organization_sees_no_word_more(
    chromium: Browser, platform: str, person: User, agent: Agent, model: ModelProvider, settings: Settings
) -> None:
    settings.STREAM_BEAT_SECONDS = 1
    context = chromium.new_context()
    page = context.new_page()
    opened(page, platform, person, agent)
    model.answers += [Reply(pieces=("One ", "two ", "three ", "a secret"), held=True)]
    ask(page, "Count")
    expect(said(page)).to_contain_text("One")
    person.memberships.all().delete()
    expect(page.locator(".live")).to_contain_text("Not updating")
    model.go.set()
    expect(page.locator(".live")).to_contain_text("Not updating")
    expect(page.get_by_text("a secret")).to_have_count(0)
    context.close()


def test_a_long_answer_is_read_out_as_it_comes_and_its_end_is_told(
    page: Page, platform: str, person: User, agent: Agent, model: ModelProvider
) -> None:
    opened(page, platform, person, agent)
    pieces = ("# Tides\n\n", "High at *six*.\n\n", "Low at **noon**.\n\n", "That is all.")
    model.answers += [Reply(pieces=pieces, held=True)]
    ask(page, "When?")
    expect(said(page).locator("h3")).to_have_text("Tides")
    expect(page.locator("#standing")).to_contain_text("Keeper is answering")
    heard = page.locator("#heard")
    expect(heard).to_contain_text("Tides")
    model.go.set()
    expect(page.locator("#standing")).to_have_text("Answer finished")
    expect(said(page).locator("strong")).to_have_text("noon")
    # The log is there for the next answer, and nothing is said twice.
    expect(heard).to_be_empty()
    expect(page.get_by_text("That is all.")).to_have_count(1)
    # Nothing is asked for any more when the server ends.
    page.goto("about:blank")
