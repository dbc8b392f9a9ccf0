"""What an execution's page is told while it goes on: each line once, and how it stands, the same for all who look."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.errors import NotFound
from accounts.models import Membership, User
from config.asgi import application, streams
from dashboard.streams import feed
from mcp_gateway import offload
from tests.factories import MembershipFactory, UserFactory
from tests.pages import session_of, signed_in
from tests.serving import Served, serve
from tests.sse import Sent, opened
from tests.workflows.factories import ExecutionFactory, ExecutionFileFactory, WorkflowFactory
from workflows.engine import activities
from workflows.engine.states import Status
from workflows.models import Execution
from workflows.pages import live
from workflows.services import looking, wishes
from workflows.services.executions import write_lines

QUESTIONS = [{"question": "Which berth?", "options": [{"label": "North"}]}]


@pytest.fixture
def execution(person: User) -> Execution:
    made: Execution = ExecutionFactory(
        workflow=WorkflowFactory(agent__organization=person.organizations.get()), status=Status.RUNNING
    )
    return made


def tell(execution: Execution, *texts: str) -> None:
    """In one transaction, as whoever writes lines does: else the notice comes before what it is about."""
    with transaction.atomic():
        write_lines(execution, [activities.Line("generic", {"message": text}) for text in texts])
        execution.save()


def lines(events: Any) -> list[int]:
    return [event.number for event in events if event.number is not None]


def picture(events: Any, name: str = "morph") -> str:
    (found,) = [event.body for event in events if event.name == name]
    return str(found)


def test_a_reading_has_each_line_after_the_number_as_the_page_writes_it(execution: Execution) -> None:
    tell(execution, "one", "<b>two</b>", "three")
    reading = live.read(str(execution.pk), 1)
    assert lines(reading.events) == [2, 3]
    assert reading.last == 3
    assert not reading.is_over
    line = next(event.body for event in reading.events if event.number == 2)
    assert line.startswith('<li id="a2"')
    assert "&lt;b&gt;two&lt;/b&gt;" in line


def test_a_long_timeline_is_read_in_parts(execution: Execution, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "AT_ONCE", 2)
    tell(execution, *"abcde")
    first = live.read(str(execution.pk), 0)
    assert (lines(first.events), first.last) == ([1, 2], 5)


def test_a_reading_costs_five_queries_however_much_there_is(
    execution: Execution, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        ExecutionFileFactory(execution=execution)
    tell(execution, *"abcdef")
    live.read(str(execution.pk), 0)
    with django_assert_num_queries(5):
        live.read(str(execution.pk), 0)


def test_how_it_stands_is_told_with_what_people_can_do(person: User, execution: Execution) -> None:
    def standing() -> str:
        return picture(live.read(str(execution.pk), 0).events)

    assert "Running" in standing()
    assert 'value="paused">Pause' in standing()
    assert "Ask, here now" not in standing()
    Execution.objects.update(node_id="ask", wanted=Status.PAUSED, variables={"berth": "North 4"})
    shown = standing()
    for part in ("pausing", "Do not pause", "North 4"):
        assert part in shown, part
    assert re.search(r'class="current" data-node="ask"><title>Ask</title>', shown)


def test_what_is_told_is_nobodys_own(execution: Execution) -> None:
    """It is rendered once for all who look on: a token or a link of one person would be given to the others."""
    ExecutionFileFactory(execution=execution, name="tides.txt")
    told = "".join(event.body for event in live.read(str(execution.pk), 0).events)
    assert "tides.txt" in told
    assert "csrf" not in told
    assert f'"{reverse("agents:content", args=["x"]).removesuffix("x")}' not in told


def test_a_file_is_reached_by_its_own_person_alone(person: User, execution: Execution) -> None:
    file = ExecutionFileFactory(execution=execution, name="tides.txt")
    address = reverse("workflows:execution-file", args=[execution.pk, file.pk])
    assert address in picture(live.read(str(execution.pk), 0).events)
    browser = Client()
    assert browser.get(address).headers["Location"].startswith("/sign-in")
    browser.force_login(person)
    assert browser.get(address).headers["Location"].startswith(reverse("agents:content", args=["x"])[:-1])
    browser.force_login(UserFactory())
    assert browser.get(address).status_code == 404


def test_the_form_changes_with_what_the_agent_asks(execution: Execution) -> None:
    def form() -> str:
        return picture(live.read(str(execution.pk), 0).events, "form")

    assert form() == "message"
    Execution.objects.update(status=Status.PAUSED_BY_AGENT, waiting_for={"reason": "?", "questions": QUESTIONS})
    asked = form()
    assert asked not in {"message", ""}
    Execution.objects.update(waiting_for={"reason": "?", "questions": [{"question": "Another?"}]})
    assert form() not in {asked, "message", ""}
    Execution.objects.update(status=Status.CANCELLED, terminal_at=execution.created_at)
    assert form() == ""


def test_a_message_written_while_the_agent_began_to_ask_is_its_answer(person: User, execution: Execution) -> None:
    Execution.objects.update(status=Status.PAUSED_BY_AGENT, waiting_for={"reason": "?", "questions": QUESTIONS})
    browser = signed_in(person)
    browser.post(reverse("workflows:execution", args=[execution.pk]), {"message": "The north one."})
    execution.refresh_from_db()
    assert execution.state == Status.RUNNING
    assert execution.messages.get().text == "The north one."


def test_an_execution_that_is_gone_is_not_found(execution: Execution) -> None:
    key = str(execution.pk)
    execution.delete()
    with pytest.raises(NotFound):
        live.read(key, 0)


def test_without_streams_the_page_polls_and_asks_for_none(person: User, execution: Execution) -> None:
    browser = signed_in(person)
    page = browser.get(reverse("workflows:execution", args=[execution.pk])).content.decode()
    assert 'data-hx-trigger="every 5s"' in page
    assert "data-stream=" not in page


@pytest.fixture
def served(transactional_db: None) -> Iterator[Served]:
    """The whole platform on a port."""
    with serve(application) as served:
        yield served
        served.loop.call_soon_threadsafe(streams.end)
    offload.close()


def stream_of(served: Served, execution: Execution) -> str:
    return f"http://127.0.0.1:{served.port}{reverse('workflows:execution-stream', args=[execution.pk])}"


def appended(sent: list[Sent]) -> list[str]:
    return [one.id for one in sent if one.name == "append"]


def test_a_stream_tells_what_happens_until_the_execution_ends(
    served: Served, person: User, execution: Execution
) -> None:
    tell(execution, "one", "two")
    with opened(f"{stream_of(served, execution)}?after=1", session_of(person)) as stream:
        assert appended(stream.until("append")) == ["2"]
        tell(execution, "three")
        assert appended(stream.until("append")) == ["3"]
        execution.refresh_from_db()
        wishes.end(execution, Status.FAILED, [activities.failed("The tide was out.")], failure="The tide was out.")
        rest = stream.rest()
    assert appended(rest) == ["4"]
    assert "The tide was out." in next(one.body for one in rest if one.name == "morph")
    assert rest[-1].name == "over"


def test_a_wish_of_somebody_is_seen_by_all_who_look_on(
    served: Served, person: User, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LOOK_SECONDS", 3_600)
    Execution.objects.update(lease_until="2100-01-01T00:00Z")
    other: User = MembershipFactory(organization=execution.organization).user
    with opened(stream_of(served, execution), session_of(person)) as stream:
        stream.until("morph")
        execution.refresh_from_db()
        tell(execution, "The notices are heard.")
        stream.until("append")
        browser = signed_in(other)
        browser.post(reverse("workflows:ask-status", args=[execution.pk]), {"status": "paused"})
        # The line before it has changed how the page stands as well.
        while "pausing" not in stream.until("morph")[-1].body:
            continue


def test_a_stream_of_somebody_elses_execution_is_not_found(served: Served, execution: Execution) -> None:
    with opened(stream_of(served, execution), session_of(UserFactory())) as stream:
        assert stream.response.status_code == 404


def test_who_leaves_the_organization_is_cut_off_within_half_a_minute(
    served: Served, person: User, execution: Execution, settings: Settings
) -> None:
    assert settings.STREAM_BEAT_SECONDS <= 30
    settings.STREAM_BEAT_SECONDS = 0.2
    with opened(stream_of(served, execution), session_of(person)) as stream:
        stream.until(":")
        Membership.objects.filter(user=person).delete()
        stream.until("cut")
        tell(execution, "a secret")
        assert stream.rest() == []


def test_the_page_names_its_stream_and_the_last_line_it_shows(
    served: Served, person: User, execution: Execution
) -> None:
    tell(execution, *"abc")
    address = f"http://127.0.0.1:{served.port}{reverse('workflows:execution', args=[execution.pk])}"
    with opened(address, session_of(person)) as page:
        shown = page.response.read().decode()
    assert f'data-stream="{reverse("workflows:execution-stream", args=[execution.pk])}"' in shown
    assert 'data-stream-after="3"' in shown
