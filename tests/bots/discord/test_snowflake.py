"""Ids: what is one, what is none, and the moment inside."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.discord import snowflake


def test_an_id_tells_when_it_was_made() -> None:
    # The example of Discord's own documentation.
    assert snowflake.created_at(175928847299117063) == datetime(2016, 4, 30, 11, 18, 25, 796000, tzinfo=UTC)


@settings(deadline=None)
@given(st.integers(0, snowflake.MAXIMUM))
def test_an_id_survives_json(number: int) -> None:
    assert snowflake.parse(snowflake.text(number)) == number


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "-1", "+1", "1.0", "0x1f", "١٢٣", "007", "1" * 20, "9223372036854775808"]
)
def test_what_is_not_an_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="id"):
        snowflake.parse(text)


@settings(deadline=None)
@given(st.datetimes(datetime(2015, 1, 1), datetime(2080, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_id_made_for_a_moment_tells_that_moment(moment: datetime) -> None:
    made = snowflake.created_at(snowflake.at(moment))

    assert made == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def test_no_id_is_older_than_discord() -> None:
    with pytest.raises(ValueError, match="2015"):
        snowflake.at(datetime(2014, 12, 31, tzinfo=UTC))
