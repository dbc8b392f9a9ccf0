"""What people narrow the list of executions to, in their own words and by their own clock."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.workflows.pages.rows import execution
from workflows.models import Workflow

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def found(browser: Client, **query: str) -> Any:
    return browser.get(reverse("workflows:executions"), query)


@pytest.mark.parametrize(
    ("zone", "after", "is_listed"),
    [
        ("", "2026-11-27T12:30", False),
        ("", "2026-11-27T11:30", True),
        # 12:00 in UTC is 13:00 in Berlin.
        ("Europe/Berlin", "2026-11-27T12:30", True),
        ("Europe/Berlin", "2026-11-27T13:30", False),
        # A zone that nobody knows here is UTC, as the field says.
        ("Europe/Atlantis", "2026-11-27T12:30", False),
    ],
)
def test_a_moment_is_of_the_zone_that_the_address_names(
    browser: Client, workflow: Workflow, zone: str, after: str, is_listed: bool
) -> None:
    execution(workflow, created_at=NOON)
    answer = found(browser, created_after=after, time_zone=zone)
    assert bool(answer.context["page"].rows) == is_listed
    named = zone if zone == "Europe/Berlin" else "UTC"
    assert f"Started after (<span data-zone-name>{named}</span>)" in answer.text


def test_a_zone_alone_narrows_nothing(browser: Client, workflow: Workflow) -> None:
    assert "No executions yet" in found(browser, time_zone="Europe/Berlin").text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"inputs_value": "A-117"}, "Input: Fill this in as well, or leave “Input holds” empty."),
        ({"metadata_key": "ticket"}, "Metadata is: Fill this in as well, or leave “Metadata” empty."),
    ],
)
def test_half_of_a_pair_is_refused_in_the_words_of_its_fields(
    browser: Client, workflow: Workflow, query: dict[str, str], said: str
) -> None:
    answer = found(browser, **query)
    assert (answer.status_code, said in answer.text) == (422, True)
