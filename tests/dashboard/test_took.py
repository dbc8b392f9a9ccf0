"""How long something took, in a few characters."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.templatetags.shell import took

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0.0 s"),
        (4.24, "4.2 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (185, "3 min 5 s"),
        (7_800, "2 h 10 min"),
    ],
)
def test_the_time_between_is_said_in_the_two_largest_units(seconds: float, said: str) -> None:
    assert took(BEGIN, BEGIN + timedelta(seconds=seconds)) == said


def test_nothing_is_said_of_what_goes_on_still() -> None:
    assert took(BEGIN, None) == ""
