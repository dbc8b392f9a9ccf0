"""Talking to an agent in a real browser, with a model and a server that asks who one is, both on loopback."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django import Settings

from accounts.models import Role, User
from agents_hub.models import Agent, AgentServer, Stage, ToolUse, Turn, TurnStatus
from config.asgi import application
from mcp_gateway import offload
from mcp_gateway.models import AuthType, ClientMode, RemoteServer, RemoteTool
from tests.agents_hub.chat.talks import remote_name
from tests.agents_hub.factories import AgentFactory
from tests.browser.conftest import sign_in
from tests.factories import MembershipFactory, RemoteServerFactory
from tests.fakes.mcp_server import mcp_server
from tests.fakes.model_provider import ModelProvider, Reply, model_provider
from tests.fakes.oauth_mcp_server import OAuthMcpServer, oauth_mcp
from tests.llm.rows import provider_row
from tests.serving import serve

__all__ = ["oauth_mcp"]

BANNER = "Your connection needs to be reconnected before this agent can use its tools."
# Set in the page, and gone with a reload.
NOT_RELOADED = "window.notReloaded === true"
# What scripts ask for, other than by sending a form, is answered as it is now and comes once the test lets it go.
LATE = """window.late = [];
const soon = window.fetch.bind(window);
window.fetch = async (url, options = {}) => {
  const answer = await soon(url, options);
  if ((options.method ?? "GET") !== "GET") return answer;
  document.documentElement.dataset.late = `${document.documentElement.dataset.late ?? ""} ${url}`;
  await new Promise((go) => window.late.push(go));
  return answer;
};"""


@pytest.fixture
def model() -> Iterator[ModelProvider]:
    with model_provider() as provider:
        yield provider


@pytest.fixture
def platform(transactional_db: None, model: ModelProvider, settings: Settings) -> Iterator[str]:
    """Where the platform is: its pages, streams and turns in one process that may reach loopback."""
    settings.OUTBOUND_ALLOW_LOCAL = True
    with serve(application) as served:
        settings.PUBLIC_URL = f"http://127.0.0.1:{served.port}"
        yield settings.PUBLIC_URL
        # Nobody waits for the model when the server ends.
        model.over.set()
        model.go.set()
        # What counts tokens does so in a thread of its own, which keeps its connection.
        asyncio.run_coroutine_threadsafe(sync_to_async(connections.close_all)(), served.loop).result(20)
    offload.close()


@pytest.fixture
def page(platform: str, page: Page) -> Page:
    """A page that is closed before the platform ends: it would complain of a server that is gone."""
    return page


@pytest.fixture
def person(transactional_db: None) -> User:
    member: User = MembershipFactory(organization__name="Harbour Lights", role=Role.MEMBER).user
    return member


@pytest.fixture
def agent(person: User, model: ModelProvider) -> Agent:
    organization = person.organizations.get()
    provider_row(organization, model)
    made: Agent = AgentFactory(organization=organization, name="Keeper", stage=Stage.RELEASED)
    return made


@pytest.fixture
def lighthouse(agent: Agent, platform: str, oauth_mcp: OAuthMcpServer) -> RemoteServer:
    """The agent's server, at which each person signs in."""
    oauth_mcp.know_client("by-hand", "a secret", f"{platform}/api/mcp/oauth/callback", method="client_secret_basic")
    server: RemoteServer = RemoteServerFactory(
        organization=agent.organization,
        name="Lighthouse",
        slug="lighthouse",
        url=oauth_mcp.url,
        auth_type=AuthType.OAUTH,
        client_mode=ClientMode.KNOWN_CREDENTIALS,
        client_id="by-hand",
        client_secret="a secret",
    )
    AgentServer.objects.create(agent=agent, server=server)
    return server


def calling(name: str, /, **arguments: Any) -> Reply:
    return Reply(pieces=(), calls=((name, json.dumps(arguments)),))


def opened(page: Page, platform: str, person: User, agent: Agent) -> None:
    """An empty chat with the agent."""
    sign_in(page.context, person, platform)
    page.goto(f"{platform}/dashboard/chat/new")
    page.get_by_role("link", name=agent.name).click()
    # Loaded with its scripts: before them, Enter begins a line.
    page.wait_for_url(re.compile("/dashboard/chat/new/"))


def said(page: Page) -> Locator:
    return page.locator(".message:not(.mine) .said")


def ask(page: Page, text: str) -> None:
    composer = page.get_by_label("Message to Keeper")
    composer.fill(text)
    composer.press("Enter")
    expect(page.locator(".message.mine").last).to_contain_text(text)


def connect(page: Page, oauth_mcp: OAuthMcpServer) -> None:
    page.get_by_role("button", name="Connect Lighthouse").click()
    page.wait_for_url(re.compile(re.escape(oauth_mcp.issuer)))
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url(re.compile("/dashboard/chat/[0-9a-f-]{36}/"))


def test_a_person_connects_asks_sees_tools_work_stops_reloads_and_denies(
    page: Page,
    platform: str,
    person: User,
    agent: Agent,
    lighthouse: RemoteServer,
    oauth_mcp: OAuthMcpServer,
    model: ModelProvider,
) -> None:
    whoami = remote_name(lighthouse, "whoami")
    # Streams and forms show all of it: nothing waits for a poll.
    page.context.route("**/news?*", lambda route: route.fulfill(status=204))
    opened(page, platform, person, agent)
    expect(page.get_by_text(BANNER)).to_be_visible()
    expect(page.locator("#lacks")).to_contain_text("Lighthouse")
    page.get_by_label("Message to Keeper").fill("Who am I?")

    # There and back again: the same chat, with what was typed.
    connect(page, oauth_mcp)
    expect(page.get_by_text(BANNER)).to_have_count(0)
    expect(page.get_by_label("Message to Keeper")).to_have_value("Who am I?")

    # The call of the tool, its result, and the answer as it comes.
    page.evaluate("window.notReloaded = true")
    model.answers += [calling(whoami), Reply(pieces=("You are ", "**ada**", ", I am told."), held=True)]
    page.get_by_label("Message to Keeper").press("Enter")
    use = page.locator(".use")
    expect(use).to_contain_text("Done")
    expect(use).to_contain_text("Lighthouse")
    expect(said(page).last).to_contain_text("You are")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_text("I am told.")).to_have_count(0)
    use.locator("summary").first.click()
    expect(use).to_contain_text("ada with tools:use")
    model.go.set()
    expect(said(page).last.locator("strong")).to_have_text("ada")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.locator(".message-foot").last).to_contain_text("tokens")
    expect(page.get_by_label("Message to Keeper")).to_have_value("")
    # What was unfolded stays so.
    expect(use).to_contain_text("ada with tools:use")

    # One that is stopped: what came until then is kept.
    held_again(model)
    model.answers += [Reply(pieces=("One ", "two ", "three ", "four"), held=True)]
    ask(page, "Count")
    expect(said(page).last).to_contain_text("One")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".message").last).to_contain_text("You stopped the answer.")
    expect(said(page).last).to_contain_text("One")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    assert page.evaluate(NOT_RELOADED)

    # One in whose midst the page is loaded again, and looked at in a second tab.
    held_again(model)
    model.answers += [Reply(pieces=("Alpha ", "beta ", "gamma ", "delta"), held=True)]
    ask(page, "Spell")
    expect(said(page).last).to_contain_text("Alpha")
    page.reload()
    expect(said(page).last).to_contain_text("Alpha")
    second = page.context.new_page()
    second.goto(page.url)
    expect(said(second).last).to_contain_text("Alpha")
    model.go.set()
    second.bring_to_front()
    expect(said(second).last).to_have_text("Alpha beta gamma delta")
    second.close()
    expect(said(page).last).to_have_text("Alpha beta gamma delta")
    expect(page.get_by_role("button", name="Send")).to_be_visible()

    # One that is denied.
    RemoteTool.objects.filter(server=lighthouse, name="whoami").update(ask_first=True)
    RemoteServer.objects.filter(pk=lighthouse.pk).update(revision=lighthouse.revision + 1)
    model.answers += [calling(whoami), Reply(pieces=("Then not.",))]
    ask(page, "Who am I now?")
    expect(page.locator("#standing")).to_contain_text("Waiting for you")
    page.get_by_role("button", name="Deny").click()
    expect(page.locator(".use").last).to_contain_text("Denied")
    expect(said(page).last).to_have_text("Then not.")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    assert list(ToolUse.objects.order_by("pk").values_list("status", flat=True)) == ["done", "denied"]
    assert Turn.objects.exclude(status=TurnStatus.COMPLETED).count() == 1


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


def test_a_file_that_is_refused_is_named_in_place_and_nothing_typed_is_lost(
    page: Page, platform: str, person: User, agent: Agent
) -> None:
    opened(page, platform, person, agent)
    ask(page, "Hello?")
    expect(said(page)).to_have_text("Hello there.")
    page.evaluate("window.notReloaded = true")
    files = page.get_by_label("Files to go with the message")
    files.set_input_files({"name": "program", "mimeType": "text/plain", "buffer": b"\x7fELF\x00\x01"})
    page.get_by_label("Message to Keeper").fill("Read this")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("“program” is of the type")
    expect(page.get_by_label("Message to Keeper")).to_have_value("Read this")
    files.set_input_files({"name": "tides.txt", "mimeType": "text/plain", "buffer": b"low 04:10"})
    page.get_by_label("Message to Keeper").press("Enter")
    expect(page.locator(".message.mine").last).to_contain_text("tides.txt")
    expect(page.get_by_label("Message to Keeper")).to_have_value("")
    expect(said(page)).to_have_count(2)
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    assert page.evaluate(NOT_RELOADED)


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


def test_all_of_it_works_without_scripts(
    chromium: Browser, platform: str, person: User, agent: Agent, model: ModelProvider
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    opened(page, platform, person, agent)
    model.answers += [Reply(pieces=("One ", "two ", "three ", "four"), held=True)]
    page.get_by_label("Message to Keeper").fill("Count")
    page.get_by_label("Files to go with the message").set_input_files(
        {"name": "numbers.txt", "mimeType": "text/plain", "buffer": b"1 2 3"}
    )
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".message.mine")).to_contain_text("numbers.txt")
    assert model.halfway.wait(60)
    reload_until(page, said(page).filter(has_text="One"))
    page.get_by_role("button", name="Stop").click()
    reload_until(page, page.get_by_text("You stopped the answer."))
    model.go.set()
    # A page that was made while the answer ended may show the end and not yet what can be done after it.
    reload_until(page, page.get_by_text("Edit", exact=True))
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Your new message").fill("Count to one")
    page.locator(".edit").get_by_role("button", name="Send").click()
    reload_until(page, page.get_by_text("Hello there."))
    expect(page.get_by_text("2/2")).to_be_visible()
    page.get_by_role("button", name="Previous version").click()
    expect(page.locator(".message.mine")).to_contain_text("Count")
    expect(page.get_by_text("1/2")).to_be_visible()
    context.close()


def reload_until(page: Page, wanted: Locator) -> None:
    """Load the page anew until that is in it, as somebody without scripts would."""
    for _ in range(100):
        if wanted.count():
            return
        page.reload()
    raise AssertionError(f"The page never showed {wanted}")


def test_a_servers_question_is_answered_by_keyboard_while_the_answer_goes_on(
    page: Page, platform: str, person: User, agent: Agent, model: ModelProvider
) -> None:
    with mcp_server() as served:
        printer = RemoteServerFactory(organization=agent.organization, name="Printer", slug="printer", url=served.url)
        AgentServer.objects.create(agent=agent, server=printer)
        opened(page, platform, person, agent)
        model.answers += [calling(remote_name(printer, "ship"), order="7"), Reply(pieces=("So ", "it is."))]
        ask(page, "Print")
        field = page.locator(".asking").get_by_label("street")
        field.focus()
        page.keyboard.type("Elm Street")
        # Loading the page anew loses nothing of what is asked.
        page.reload()
        page.locator(".asking").get_by_label("street").fill("Elm Street")
        page.get_by_role("button", name="Send to Printer").press("Enter")
        expect(said(page).last).to_have_text("So it is.")
        expect(page.locator(".use")).to_contain_text("Done")
        expect(page.locator(".asking")).to_have_count(0)


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


def test_what_is_typed_is_there_after_a_reload_until_it_is_sent(
    page: Page, platform: str, person: User, agent: Agent
) -> None:
    opened(page, platform, person, agent)
    composer = page.get_by_label("Message to Keeper")
    composer.fill("A first thought")
    page.reload()
    expect(composer).to_have_value("A first thought")
    ask(page, "A first thought")
    expect(said(page)).to_have_text("Hello there.")
    composer.fill("A second one")
    page.reload()
    expect(composer).to_have_value("A second one")
    composer.press("Enter")
    expect(said(page)).to_have_count(2)
    page.reload()
    expect(composer).to_have_value("")
    page.goto("about:blank")


def held_again(model: ModelProvider) -> None:
    """As if nobody had held or let go anything yet."""
    model.halfway.clear()
    model.go.clear()
