"""How pages of workflows look with what is large or odd: in a real browser, measured."""

import json
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from accounts.models import Role, User
from tests.browser.conftest import sign_in
from tests.factories import MembershipFactory
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, sound, way
from workflows.engine.states import Status
from workflows.models import Execution, Label, Workflow

ENDS = "all => all.map((one) => Math.round(one.getBoundingClientRect().bottom / 4))"
# How large letters of the picture are in it, in pixels of the screen.
LETTERS = """() => { const svg = document.querySelector(".graph .picture");
  return 14 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width; }"""
IS_SEEN = """() => { const [frame, box] = [".graph", ".graph .current"].map(
    (one) => document.querySelector(one).getBoundingClientRect());
  return box.left >= frame.left && box.right <= frame.right; }"""


@pytest.fixture
def person(transactional_db: None) -> User:
    member: User = MembershipFactory(role=Role.MEMBER).user
    return member


def row(person: User, parts: dict[str, Any] | None = None, **fields: Any) -> Workflow:
    made: Workflow = WorkflowFactory(agent__organization=person.organizations.get(), graph=parts or sound(), **fields)
    return made


def long(nodes: int) -> dict[str, Any]:
    names = [f"n{number}" for number in range(nodes)]
    ways = [way(source, target) for source, target in zip(names, [*names[1:], "end"], strict=True)]
    return graph(*map(node, names), node("end", "output"), *ways)


@pytest.mark.parametrize("width", [1440, 800, 360])
def test_the_names_in_a_large_graph_can_be_read(page: Page, live_server: Any, person: User, width: int) -> None:
    version = row(person, long(150))
    sign_in(page.context, person, live_server.url)
    page.set_viewport_size({"width": width, "height": 860})
    page.goto(live_server.url + reverse("workflows:version", args=[version.agent_id, version.pk]))
    assert page.evaluate(LETTERS) >= 10
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_small_graph_is_as_large_as_it_is_drawn(page: Page, live_server: Any, person: User) -> None:
    version = row(person)
    sign_in(page.context, person, live_server.url)
    page.set_viewport_size({"width": 1440, "height": 860})
    page.goto(live_server.url + reverse("workflows:version", args=[version.agent_id, version.pk]))
    assert page.evaluate(LETTERS) == pytest.approx(14)


def test_a_graph_is_scrolled_to_where_the_run_stands(page: Page, live_server: Any, person: User) -> None:
    execution: Execution = ExecutionFactory(workflow=row(person, long(30)), status=Status.PAUSED, node_id="n25")
    sign_in(page.context, person, live_server.url)
    page.goto(live_server.url + reverse("workflows:execution", args=[execution.pk]))
    assert page.evaluate(IS_SEEN)


def test_the_editor_leads_to_the_place_that_is_no_json_and_says_it_beside(
    page: Page, live_server: Any, person: User
) -> None:
    version = row(person, long(20))
    sign_in(page.context, person, live_server.url)
    page.goto(f"{live_server.url}{reverse('workflows:new-version', args=[version.agent_id])}?from={version.pk}")
    lines = json.dumps(version.graph, indent=2).splitlines()
    page.get_by_label("Graph", exact=True).fill("\n".join([*lines[:150], "  oops", *lines[150:]]))
    page.get_by_role("button", name="Check").click()
    beside = page.locator("#check")
    expect(beside).to_contain_text("at line 151, column 3")
    field = page.get_by_label("Graph", exact=True)
    expect(field).to_be_focused()
    chosen = "field => field.value.slice(field.selectionStart).startsWith('oops') && field.scrollTop > 1000"
    assert field.evaluate(chosen)
    # Nobody who writes there by keyboard is kept there.
    page.keyboard.press("Tab")
    expect(page.get_by_label("Settings", exact=True)).to_be_focused()


@pytest.mark.parametrize("width", [1440, 1160, 360])
def test_long_names_and_reasons_leave_every_column_of_the_list_its_room(
    page: Page, live_server: Any, person: User, width: int
) -> None:
    name = "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff senior of the Northern Harbours"
    person.name = name
    person.save()
    version = row(person, agent__name="Northern harbours, berths and tides " * 5)
    ended = {"status": Status.FAILED, "terminal_at": timezone.now()}
    ExecutionFactory(workflow=version, runner=person, failure="HTTPError: " + "x" * 300, **ended)
    ExecutionFactory(workflow=version, runner=person, status=Status.AWAITING_CONFIRMATION)
    sign_in(page.context, person, live_server.url)
    page.set_viewport_size({"width": width, "height": 860})
    page.goto(live_server.url + reverse("workflows:executions"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("td[data-label=Outcome]").last.evaluate("cell => cell.getBoundingClientRect().width") > 100
    # A long name in the choice of agents does not push the other filters from their line.
    if width == 1440:
        fields = page.locator(".filters").first.locator("select, input:not([type=hidden])")
        assert len(set(fields.evaluate_all(ENDS))) == 1


@pytest.mark.parametrize("address", ["workflows:execution", "workflows:execution-labels"])
def test_long_names_of_variables_and_labels_leave_a_page_as_wide_as_a_phone(
    page: Page, live_server: Any, person: User, address: str
) -> None:
    variables = {"W" * 100: {"total": 118.4}}
    execution: Execution = ExecutionFactory(workflow=row(person), status=Status.PAUSED, variables=variables)
    Label.objects.create(organization=execution.organization, name="W" * 50).executions.add(execution)
    sign_in(page.context, person, live_server.url)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(live_server.url + reverse(address, args=[execution.pk]))
    expect(page.get_by_text("WWWWW").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_button_that_is_pressed_twice_starts_one_run(page: Page, live_server: Any, person: User) -> None:
    version = row(person)
    sign_in(page.context, person, live_server.url)
    page.goto(live_server.url + reverse("workflows:run", args=[version.agent_id, version.pk]))
    page.get_by_label("order").fill("A-117")
    page.get_by_label("shop").fill("Pier 9")
    held: list[Route] = []
    page.route("**/run", lambda route: held.append(route))
    page.get_by_role("button", name="Run", exact=True).hover()
    with page.expect_request("**/run"):
        page.mouse.down()
        page.mouse.up()
    page.mouse.down()
    page.mouse.up()
    # A second one would have taken the place of the first, whose answer the page then shows no more.
    held[0].continue_()
    expect(page.locator("h1")).to_contain_text("Execution of")
    assert (len(held), Execution.objects.count()) == (1, 1)
