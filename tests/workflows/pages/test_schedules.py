"""The pages of schedules, as a browser without scripts uses them, and `manage.py schedule`."""

from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Organization, User
from tests.agents_hub.factories import AgentFactory, ProfileFactory, ProfilePoolFactory, member_of
from tests.factories import MembershipFactory
from tests.pages import signed_in
from tests.workflows.factories import ScheduleFactory, WorkflowFactory, published_agent
from tests.workflows.scheduled import overdue, withdraw
from workflows.models import Execution, Schedule, ScheduleRun
from workflows.services import schedules

pytestmark = pytest.mark.django_db
LIST = "/dashboard/schedules/"


@pytest.fixture
def organization(person: User) -> Organization:
    return person.organizations.get()


def page_of(schedule: Schedule) -> str:
    return reverse("scheduling:schedule", args=["workflow", schedule.pk])


def filled(**changes: str) -> dict[str, str]:
    return {
        "name": "Morning report",
        "cron_expression": "0 9 * * MON-FRI",
        "time_zone": "Europe/Berlin",
        "overlap": "beside",
        "input_order": "A-117",
        "input_shop": "Pier 9",
        "act": "save",
    } | changes


def scheduled(organization: Organization, **fields: Any) -> Schedule:
    made: Schedule = ScheduleFactory(agent=published_agent(organization=organization), **fields)
    return made


def test_a_schedule_is_made_from_the_list_on(browser: Client, organization: Organization, person: User) -> None:
    agent = published_agent(organization=organization, name="Harbour desk")
    empty = browser.get(LIST).text
    assert "No schedules yet" in empty
    choose = reverse("workflows:schedule-agent")
    assert choose in empty
    form = reverse("workflows:new-schedule", args=[agent.pk])
    assert form in browser.get(choose).text
    page = browser.get(form).text
    fields = ["name", "cron_expression", "time_zone", "overlap", "input_order", "input_shop", "profile_id", "pool_id"]
    places = [page.index(f'name="{field}"') for field in [*fields, "soft_timeout"]]
    assert places == sorted(places)
    answer = browser.post(form, filled(), follow=True)
    made = Schedule.objects.get()
    assert answer.redirect_chain == [(page_of(made), 302)]
    assert (made.maker, made.inputs) == (person, {"order": "A-117", "shop": "Pier 9"})
    page = answer.text
    assert "At 09:00 on Monday through Friday, in Europe/Berlin." in page
    assert "Morning report" in browser.get(LIST).text


def test_the_next_times_are_shown_before_anything_is_saved(browser: Client, organization: Organization) -> None:
    form = reverse("workflows:new-schedule", args=[published_agent(organization=organization).pk])
    page = browser.post(form, filled(act="check")).text
    assert page.count("<li><time") == 5
    assert "At 09:00 on Monday through Friday." in page
    assert 'value="Morning report"' in page
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cron_expression": "61 * * * *"}, "The minute in"),
        ({"cron_expression": "0 0 30 2 *"}, "cannot be used"),
        ({"time_zone": "Mars/Olympus"}, "is not a time zone"),
        ({"name": ""}, "This field is required"),
        ({"input_shop": ""}, "The workflow needs a value here."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    browser: Client, organization: Organization, changes: dict[str, str], says: str
) -> None:
    form = reverse("workflows:new-schedule", args=[published_agent(organization=organization).pk])
    answer = browser.post(form, filled(**changes))
    assert (answer.status_code, says in answer.text) == (422, True)
    assert "A-117" in answer.text
    assert not Schedule.objects.exists()


def test_a_certain_version_and_a_pool_are_chosen_and_changed(browser: Client, organization: Organization) -> None:
    agent = published_agent(organization=organization)
    older = agent.workflows.get()
    profile, pool = ProfileFactory(organization=organization), ProfilePoolFactory(organization=organization)
    form = reverse("workflows:new-schedule", args=[agent.pk]) + f"?version={older.pk}"
    assert browser.post(form, filled(pool_id=str(pool.pk), profile_id=str(profile.pk))).status_code == 422
    browser.post(form, filled(pool_id=str(pool.pk), soft_timeout="7"))
    made = Schedule.objects.get()
    assert (made.workflow, made.pool, made.options) == (older, pool, {"softTimeoutMins": 7})
    page = browser.get(page_of(made)).text
    assert pool.name in page
    assert "Version 1" in page
    edit = reverse("workflows:edit-schedule", args=[made.pk])
    assert 'value="7"' in browser.get(edit).text
    browser.post(edit + "?version=", filled(name="Renamed", profile_id=str(profile.pk)))
    made.refresh_from_db()
    assert (made.name, made.workflow, made.pool, made.profile, made.options) == ("Renamed", None, None, profile, {})


def test_an_agent_with_nothing_published_says_what_to_do(browser: Client, organization: Organization) -> None:
    agent = AgentFactory(organization=organization)
    assert "Nothing is published yet" in browser.get(reverse("workflows:new-schedule", args=[agent.pk])).text


def test_a_schedule_is_disabled_enabled_run_now_and_deleted(browser: Client, organization: Organization) -> None:
    made = scheduled(organization)
    page, act = page_of(made), reverse("scheduling:act", args=["workflow", made.pk])
    assert 'value="disable">Disable' in browser.get(page).text
    browser.post(act, {"act": "disable"})
    assert 'value="enable">Enable' in browser.get(page).text
    browser.post(act, {"act": "enable"})
    browser.post(act, {"act": "run"})
    shown = browser.get(page).text
    assert reverse("workflows:execution", args=[Execution.objects.get().pk]) in shown
    assert "Run by Person" in shown
    delete = reverse("scheduling:delete", args=["workflow", made.pk])
    assert "its history will be gone" in browser.get(delete).text
    browser.post(delete)
    assert not Schedule.objects.exists()


def test_run_now_that_is_refused_says_why(browser: Client, organization: Organization) -> None:
    made = scheduled(organization)
    withdraw(made)
    answer = browser.post(reverse("scheduling:act", args=["workflow", made.pk]), {"act": "run"}, follow=True)
    assert "no published workflow" in answer.text


def test_a_trouble_stands_on_the_page_in_the_list_and_on_the_makers_home(
    browser: Client, organization: Organization, person: User
) -> None:
    made = overdue(agent=published_agent(organization=organization), maker=person, name="Nightly")
    withdraw(made)
    schedules.run_due()
    for address in (page_of(made), "/dashboard/"):
        assert "no published workflow" in browser.get(address).text, address
    assert "Could not be run" in browser.get(LIST).text
    colleague = signed_in(member_of(organization))
    assert "no published workflow" not in colleague.get("/dashboard/").text


def test_the_list_is_sorted_paged_and_of_one_organization(browser: Client, organization: Organization) -> None:
    agent = published_agent(organization=organization)
    for number in range(30):
        ScheduleFactory(
            agent=agent, name=f"S{29 - number:02}", next_due_at=timezone.now() + timedelta(hours=number + 1)
        )
    ScheduleFactory(agent=agent, name="Off", is_enabled=False)
    ScheduleFactory(name="Foreign")

    def names(query: str = "") -> list[str]:
        return [row.name for row in browser.get(LIST + query).context["page"].rows]

    assert names() == [f"S{29 - number:02}" for number in range(25)]
    assert names("?page=2") == [*(f"S{number:02}" for number in range(4, -1, -1)), "Off"]
    assert names("?sort=name")[:2] == ["Off", "S00"]
    assert names("?sort=-name")[0] == "S29"
    assert names("?page=9") == []


def test_longer_lists_and_histories_ask_no_more(
    browser: Client, organization: Organization, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = scheduled(organization)
    for number in range(20):
        ScheduleRun.objects.create(schedule=made, due_at=timezone.now() - timedelta(hours=number))
        ScheduleFactory(agent=made.agent)
    with django_assert_max_num_queries(14):
        browser.get(LIST)
    with django_assert_max_num_queries(16):
        browser.get(page_of(made))


def test_a_stranger_reaches_no_page_of_a_schedule(person: User) -> None:
    made: Schedule = ScheduleFactory()
    stranger = signed_in(person)
    edit = reverse("workflows:edit-schedule", args=[made.pk])
    act = reverse("scheduling:act", args=["workflow", made.pk])
    delete = reverse("scheduling:delete", args=["workflow", made.pk])
    new = reverse("workflows:new-schedule", args=[made.agent_id])
    for address in (page_of(made), edit, delete, new):
        assert stranger.get(address).status_code == 404, address
    for address, sent in ((act, {"act": "run"}), (act, {"act": "disable"}), (delete, {}), (edit, filled())):
        assert stranger.post(address, sent).status_code == 404, address
    made.refresh_from_db()
    assert made.is_enabled
    assert not Execution.objects.exists()


def test_a_version_of_another_agent_cannot_be_chosen(browser: Client, organization: Organization) -> None:
    form = reverse("workflows:new-schedule", args=[published_agent(organization=organization).pk])
    assert browser.get(form, {"version": str(WorkflowFactory(version=1).pk)}).status_code == 404
    assert browser.get(form, {"version": "x"}).status_code == 404


def test_an_expression_is_tried_out_without_a_schedule(browser: Client) -> None:
    address = reverse("scheduling:next-runs")
    page = browser.get(address, {"cron_expression": "0 9 * * *", "time_zone": "Asia/Kolkata"}).text
    assert page.count("<li><time") == 5
    assert "(IST)" in page
    assert "cannot be used" in browser.get(address, {"cron_expression": "0 99 * * *", "time_zone": "UTC"}).text
    assert "<script>alert" not in browser.get(address, {"cron_expression": "<script>alert", "time_zone": "UTC"}).text


def run(*arguments: Any, person: User) -> str:
    said = StringIO()
    call_command("schedule", *map(str, arguments), "--as", person.email, stdout=said)
    return said.getvalue().strip()


def test_the_command_lists_runs_and_switches(organization: Organization, person: User) -> None:
    made = scheduled(organization, name="Nightly")
    assert str(made.pk) in run("list", person=person)
    assert run("list", "--organization", organization.uid, person=person).endswith(f"Nightly ({made.agent.name})")
    run("run", made.pk, person=person)
    assert Execution.objects.get().runner == person
    assert run("disable", made.pk, person=person) == "Disabled."
    assert "disabled" in run("list", person=person)
    assert run("enable", made.pk, person=person).startswith("Enabled. It is due next at ")
    with pytest.raises(CommandError, match="no such schedule"):
        run("run", UUID(int=1), person=person)
    with pytest.raises(CommandError, match="no such schedule"):
        run("run", made.pk, person=MembershipFactory().user)
