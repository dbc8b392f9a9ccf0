"""What a person types and sends: messages, files and answers to a server's question, without a word lost."""

from playwright.sync_api import Page, expect

from accounts.models import User
from agents_hub.models import Agent, AgentServer
from tests.agents_hub.chat.talks import calling, remote_name
from tests.browser.chat.talking import NOT_RELOADED, ask, opened, said
from tests.factories import RemoteServerFactory
from tests.fakes.mcp_server import mcp_server
from tests.fakes.model_provider import ModelProvider, Reply


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
