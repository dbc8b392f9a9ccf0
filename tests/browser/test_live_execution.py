"""An execution's page while it goes on, in a real browser before real processes: nothing is reloaded to see it grow."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from accounts.models import Role, User
from config.asgi import application, streams
from mcp_gateway import offload
from tests.browser.conftest import sign_in
from tests.browser.live_processes import Processes, stopped
from tests.factories import MembershipFactory
from tests.serving import Served, serve
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, way
from workflows.engine import activities
from workflows.engine.states import Status
from workflows.models import Execution
from workflows.services.executions import write_lines

NODES = 12
# Set in the page, and gone with a reload.
NOT_RELOADED = "window.notReloaded === true"


@pytest.fixture
def processes(transactional_db: None, tmp_path: Path) -> Iterator[Processes]:
    with ExitStack() as running:
        yield Processes(tmp_path, running)


@pytest.fixture
def person(transactional_db: None) -> User:
    member: User = MembershipFactory(role=Role.MEMBER).user
    return member


@pytest.fixture
def execution(person: User) -> Execution:
    names = [f"n{number}" for number in range(NODES)]
    ways = [way(source, target, "outcome_success") for source, target in zip(names, [*names[1:], "end"], strict=True)]
    parts = graph(*(node(name, "url") for name in names), node("end", "output"), *ways)
    made: Execution = ExecutionFactory(
        workflow=WorkflowFactory(agent__organization=person.organizations.get(), graph=parts)
    )
    return made


@dataclass(frozen=True)
class Platform:
    """Served by this process: for what needs neither a worker nor another server."""

    served: Served

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.served.port}"

    def cut(self) -> None:
        """End every stream that is open."""
        for stream in list(streams._open):
            self.served.loop.call_soon_threadsafe(stream.stop)


@pytest.fixture
def platform(transactional_db: None) -> Iterator[Platform]:
    with serve(application) as served:
        yield Platform(served)
        served.loop.call_soon_threadsafe(streams.end)
    offload.close()


def opened(page: Page, url: str, person: User, execution: Execution) -> None:
    """The page with its stream open."""
    sign_in(page.context, person, url)
    page.add_init_script("document.addEventListener('stream:open', () => document.documentElement.dataset.open = '')")
    page.goto(url + reverse("workflows:execution", args=[execution.pk]))
    expect(page.locator("html[data-open]")).to_be_attached()
    page.evaluate("window.notReloaded = true")


def numbers(page: Page) -> list[int]:
    """Those of the lines that the page shows, in their order."""
    found: list[int] = page.locator("#timeline > li").evaluate_all("lines => lines.map(line => +line.id.slice(1))")
    return found


def tell(execution: Execution, *texts: str) -> None:
    """In one transaction, as whoever writes lines does: else the notice comes before what it is about."""
    with transaction.atomic():
        execution.refresh_from_db()
        write_lines(execution, [activities.Line("generic", {"message": text}) for text in texts])
        execution.save()


# A web server and a worker of their own take seconds to start.
@pytest.mark.faults
def test_the_timeline_grows_while_a_worker_runs_it(
    processes: Processes, page: Page, person: User, execution: Execution
) -> None:
    processes.web()
    opened(page, processes.url, person, execution)
    expect(page.locator("#now")).to_contain_text("waiting for a free slot")
    page.get_by_label("Message").fill("Take the north berth.")
    processes.worker()
    expect(page.locator("#now g.current")).not_to_contain_text("start", timeout=60_000)
    expect(page.locator("#now .badge")).to_have_text("Completed", timeout=60_000)
    execution.refresh_from_db()
    expect(page.locator(f"#a{execution.activity_count}")).to_be_attached()
    assert numbers(page) == list(range(1, execution.activity_count + 1))
    assert execution.activity_count > NODES
    assert page.evaluate(NOT_RELOADED)
    # The end of it: what was typed is not lost though nobody can take it any more, and the facts are complete.
    expect(page.locator("#facts")).to_contain_text("Took")
    expect(page.locator(".live")).to_have_count(0)
    expect(page.get_by_label("Message")).to_have_value("Take the north berth.")


@pytest.mark.faults  # a server is stopped and another one started, each a process of its own
def test_a_page_goes_on_with_the_next_server_that_answers(
    processes: Processes, chromium: Browser, person: User, execution: Execution
) -> None:
    Execution.objects.update(status=Status.RUNNING)
    page = chromium.new_page(reduced_motion="reduce")
    web = processes.web()
    opened(page, processes.url, person, execution)
    tell(execution, "one", "two")
    expect(page.locator("#timeline > li")).to_have_count(2)
    stopped(web)
    assert "graceful shutdown exceeded" not in processes.log.read_text()
    tell(execution, "three")
    processes.web()
    expect(page.locator("#timeline > li")).to_have_count(3, timeout=60_000)
    tell(execution, "four")
    expect(page.locator("#a4")).to_contain_text("four")
    assert numbers(page) == [1, 2, 3, 4]
    assert page.evaluate(NOT_RELOADED)
    page.close()


@pytest.mark.faults
def test_a_page_that_was_cut_off_goes_on_after_its_last_line(
    platform: Platform, page: Page, person: User, execution: Execution
) -> None:
    Execution.objects.update(status=Status.RUNNING)
    opened(page, platform.url, person, execution)
    for number in (1, 3, 5):
        tell(execution, f"line {number}")
        expect(page.locator(f"#a{number}")).to_be_attached()
        page.evaluate("delete document.documentElement.dataset.open")
        platform.cut()
        tell(execution, f"line {number + 1}, told while nobody heard")
        expect(page.locator("html[data-open]")).to_be_attached()
    expect(page.locator("#a6")).to_contain_text("line 6")
    assert numbers(page) == [1, 2, 3, 4, 5, 6]
    assert page.evaluate(NOT_RELOADED)
    # With its stream open again it asks for nothing, though it is time to.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("htmx.trigger(document.getElementById('execution'), 'every')")
    tell(execution, "line 7")
    expect(page.locator("#a7")).to_be_attached()
    assert asked == []


def test_a_page_without_its_stream_polls(
    platform: Platform, chromium: Browser, person: User, execution: Execution
) -> None:
    Execution.objects.update(status=Status.RUNNING)
    page = chromium.new_page(reduced_motion="reduce")
    page.route("**/stream?*", lambda route: route.abort())
    sign_in(page.context, person, platform.url)
    page.goto(platform.url + reverse("workflows:execution", args=[execution.pk]))
    page.evaluate("window.notReloaded = true")
    tell(execution, "one")
    expect(page.locator("#a1")).to_contain_text("one")
    expect(page.locator(".live")).to_have_text("Live")
    page.unroute("**/stream?*")
    assert page.evaluate(NOT_RELOADED)
    page.close()


def test_a_page_that_cannot_be_asked_for_its_end_keeps_what_it_has(
    platform: Platform, chromium: Browser, person: User, execution: Execution
) -> None:
    Execution.objects.update(status=Status.RUNNING)
    page = chromium.new_page(reduced_motion="reduce")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    opened(page, platform.url, person, execution)
    page.route(page.url, lambda route: route.abort())
    execution.refresh_from_db()
    execution.status, execution.terminal_at = Status.COMPLETED, timezone.now()
    with page.expect_event("requestfailed"), transaction.atomic():
        write_lines(execution, [activities.Line("generic", {"message": "the end"})])
        execution.save()
    expect(page.locator("#a1")).to_contain_text("the end")
    expect(page.locator("#now .badge")).to_have_text("Completed")
    assert errors == []
    page.close()


def test_what_the_agent_asks_is_answered_by_keyboard_alone(
    platform: Platform, page: Page, person: User, execution: Execution
) -> None:
    Execution.objects.update(status=Status.RUNNING)
    opened(page, platform.url, person, execution)
    tell(execution, "one")
    expect(page.locator("#a1")).to_be_attached()
    question = {"question": "Which berth?", "options": [{"label": "North"}, {"label": "South"}]}
    Execution.objects.update(
        status=Status.PAUSED_BY_AGENT, waiting_for={"reason": "Which berth?", "questions": [question]}
    )
    tell(execution, "It asks.")
    expect(page.get_by_role("heading", name="Answer the agent")).to_be_visible()
    page.get_by_label("North").focus()
    page.keyboard.press("Space")
    # More comes while the answer is being given, and takes neither the choice nor the focus.
    tell(execution, "Still asking.")
    expect(page.locator("#a3")).to_be_attached()
    expect(page.get_by_label("North")).to_be_checked()
    expect(page.get_by_label("North")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#say").get_by_role("button", name="Answer")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#now .badge")).to_have_text("Running")
    assert execution.messages.get().text == "North"


def test_a_wish_is_pressed_by_keyboard_while_lines_come(
    platform: Platform, page: Page, person: User, execution: Execution
) -> None:
    Execution.objects.update(status=Status.RUNNING)
    opened(page, platform.url, person, execution)
    page.get_by_role("button", name="Pause").focus()
    Execution.objects.update(variables={"berth": "North 4"})
    tell(execution, "one", "two")
    expect(page.locator("#made")).to_contain_text("North 4")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    expect(page).to_have_title(re.compile("^Running: execution of "))
    page.keyboard.press("Enter")
    expect(page.locator("#now .badge")).to_have_text("Paused")
    Execution.objects.update(status=Status.RUNNING)
    tell(execution, "It goes on.")
    expect(page.locator("#now .badge")).to_have_text("Running")
    expect(page).to_have_title(re.compile("^Running: execution of "))


def test_who_signs_out_elsewhere_sees_that_the_page_is_old(
    platform: Platform, chromium: Browser, person: User, execution: Execution, settings: Settings
) -> None:
    Execution.objects.update(status=Status.RUNNING)
    page = chromium.new_page(reduced_motion="reduce")
    settings.STREAM_BEAT_SECONDS = 0.3
    opened(page, platform.url, person, execution)
    Session.objects.all().delete()
    expect(page.locator(".live")).to_contain_text("Not updating")
    tell(execution, "not for them")
    expect(page.locator("#a1")).to_have_count(0)
    page.close()
