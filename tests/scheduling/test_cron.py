"""Cron expressions in time zones: each due time once, also in the nights when the clocks are put forward and back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import Invalid
from scheduling.cron import Cron, zone_names

BERLIN = "Europe/Berlin"


def due(expression: str, time_zone: str, after: str, count: int = 3) -> list[str]:
    """The next due times, as the zone's clock shows them."""
    upcoming = Cron.read(expression, time_zone).upcoming(count, datetime.fromisoformat(after))
    return [f"{moment:%m-%d %H:%M%z}" for moment in upcoming]


def test_times_are_those_of_the_zone() -> None:
    assert due("0 9 * * MON-FRI", BERLIN, "2026-01-02T07:59Z", 2) == ["01-02 09:00+0100", "01-05 09:00+0100"]
    assert due("0 9 * * *", "America/New_York", "2026-07-01T00:00Z", 1) == ["07-01 09:00-0400"]


def test_a_due_time_is_after_the_moment_and_not_at_it() -> None:
    assert due("0 9 * * *", "UTC", "2026-01-02T09:00Z", 1) == ["01-03 09:00+0000"]
    assert due("0 9 * * *", "UTC", "2026-01-02T08:59:59.999999Z", 1) == ["01-02 09:00+0000"]


@pytest.mark.parametrize("expression", ["30 2 * * *", "0,30 2 * * *", "*/10 2 * * *", "0 2,3 * * *"])
def test_what_the_clocks_jump_over_is_due_once_when_they_have_jumped(expression: str) -> None:
    found = due(expression, BERLIN, "2026-03-29T00:00+01:00", 20)
    assert [one for one in found if one.startswith("03-29")] == ["03-29 03:00+0200"]
    assert found[1].startswith("03-30 02:")


@pytest.mark.parametrize(
    ("expression", "times"),
    [("30 2 * * *", ["02:30"]), ("*/30 2 * * *", ["02:00", "02:30"]), ("0 */2 * * *", ["00:00", "02:00", "04:00"])],
)
def test_what_the_clocks_show_twice_is_due_once(expression: str, times: list[str]) -> None:
    night = due(expression, BERLIN, "2026-10-24T21:59Z", 12)
    assert [one[6:11] for one in night if "10-25 00" <= one < "10-25 05"] == times


def test_asked_in_the_hour_that_is_shown_again_it_is_due_the_next_day() -> None:
    assert due("30 2 * * *", BERLIN, "2026-10-25T01:15Z", 1) == ["10-26 02:30+0100"]


def test_what_runs_in_every_hour_goes_on_through_both_nights() -> None:
    spring = due("*/30 * * * *", BERLIN, "2026-03-29T00:00Z", 4)
    assert spring == ["03-29 01:30+0100", "03-29 03:00+0200", "03-29 03:30+0200", "03-29 04:00+0200"]
    autumn = due("30 * * * *", BERLIN, "2026-10-25T00:00Z", 3)
    assert autumn == ["10-25 02:30+0200", "10-25 02:30+0100", "10-25 03:30+0100"]
    assert due("30 0-23 * * *", BERLIN, "2026-10-25T00:00Z", 3) == autumn


def test_a_day_that_a_zone_left_out_and_a_midnight_that_was_none() -> None:
    # Samoa went over the date line: there was no 30 December 2011.
    assert due("0 12 * * *", "Pacific/Apia", "2011-12-29T13:00-10:00", 2) == ["12-31 00:00+1400", "12-31 12:00+1400"]
    assert due("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00Z", 2) == ["03-29 01:00+0300", "03-30 00:00+0300"]


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "five fields"),
        ("0 9 * *", "five fields"),
        ("0 0 9 * * *", "five fields"),
        ("61 * * * *", "minute"),
        ("0 9 * * FUNDAY", "day-of-week"),
        ("0 0 31 2 *", "day-of-month"),
        ("0,1," * 40 + "2 * * * *", "five fields"),
    ],
)
def test_what_is_no_expression_is_refused_in_words(expression: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        Cron.read(expression, "UTC")
    assert refused.value.data == {"field": "cron_expression"}


@pytest.mark.parametrize("time_zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "europe", "UTC\x00"])
def test_what_is_no_zone_is_refused(time_zone: str) -> None:
    with pytest.raises(Invalid) as refused:
        Cron.read("0 9 * * *", time_zone)
    assert refused.value.data == {"field": "time_zone"}


def test_an_expression_is_kept_in_one_spelling_and_said_in_words() -> None:
    cron = Cron.read("  0   9 * *  mon-fri ", f" {BERLIN} ")
    assert (cron.expression, cron.time_zone) == ("0 9 * * MON-FRI", BERLIN)
    assert cron.in_words() == "At 09:00 on Monday through Friday"


def test_passed_times_are_counted_up_to_a_number() -> None:
    cron, begin = Cron.read("* * * * *", "UTC"), datetime(2026, 1, 1, tzinfo=UTC)
    assert cron.count_between(begin, begin + timedelta(minutes=5, seconds=1), 100) == 5
    assert cron.count_between(begin, begin + timedelta(days=30), 100) == 100
    assert cron.count_between(begin, begin, 100) == 0


@given(st.text("0123456789*/-,#LW MONFRI", min_size=9, max_size=30))
def test_whatever_is_written_is_refused_or_has_times_that_rise(expression: str) -> None:
    try:
        cron = Cron.read(expression, BERLIN)
    except Invalid:
        return
    now = datetime(2026, 3, 28, 12, tzinfo=UTC)
    upcoming = [moment.astimezone(UTC) for moment in cron.upcoming(5, now)]
    assert sorted(set(upcoming)) == upcoming
    assert upcoming[0] > now
    assert cron.in_words()


# One of the zones below puts its clocks forward or back in each.
NIGHTS_OF_CHANGE = [
    datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1))
]
FIELDS = st.tuples(
    st.sampled_from(["0", "30", "*/15", "7-9", "*"]),
    st.sampled_from(["*", "2", "1-3", "*/6", "23"]),
    st.sampled_from(["*", "1", "L"]),
    st.just("*"),
    st.sampled_from(["*", "0", "MON-FRI", "5L", "2#1"]),
)


@given(
    fields=FIELDS,
    time_zone=st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "UTC"]),
    day=st.sampled_from(NIGHTS_OF_CHANGE),
    minutes=st.integers(-720, 720),
)
def test_asking_again_from_each_due_time_finds_the_same_ones(
    fields: tuple[str, ...], time_zone: str, day: datetime, minutes: int
) -> None:
    """What the scheduler does: it asks for one at a time, each time from where it stands."""
    cron, moment = Cron.read(" ".join(fields), time_zone), day + timedelta(minutes=minutes)
    expected = [one.astimezone(UTC) for one in cron.upcoming(12, moment)]
    assert sorted(set(expected)) == expected
    for one in expected:
        moment = cron.next_after(moment)
        assert moment == one


def test_the_zones_that_are_offered_are_zones() -> None:
    assert {"UTC", BERLIN, "Asia/Kolkata"} <= set(zone_names())
    for name in zone_names():
        ZoneInfo(name)
