"""Bar charts: where bars and ticks stand."""

import pytest

from dashboard.charts import BarChart, Point, format_number, short_number, tick_step


def chart(*values: float) -> BarChart:
    return BarChart("Messages", "messages", [Point(f"{day} May", value) for day, value in enumerate(values, 1)])


def percent(text: str) -> float:
    return float(text.removesuffix("%"))


@pytest.mark.parametrize("highest", [0, 1, 3, 4, 5, 7, 10, 17, 99, 100, 101, 999, 1_480, 25_000, 3_000_001])
def test_no_chart_has_more_than_five_ticks_and_the_highest_bar_stays_under_the_last(highest: int) -> None:
    drawn = chart(0, highest)
    assert 2 <= len(drawn.value_ticks) <= 5
    assert highest <= drawn.top_value
    assert tick_step(highest) == round(tick_step(highest))


def test_a_bar_is_as_high_as_its_share_of_the_top_tick() -> None:
    low, high = chart(500, 1_000).bars
    assert percent(low.height) * 2 == pytest.approx(percent(high.height), abs=0.01)
    assert percent(high.y) + percent(high.height) == pytest.approx(88)


def test_bars_stand_side_by_side_and_fill_the_width() -> None:
    bars = chart(*range(30)).bars
    ends = [percent(bar.slot_x) + percent(bar.slot_width) for bar in bars]
    starts = [percent(bar.slot_x) for bar in bars]
    assert ends[:-1] == pytest.approx(starts[1:], abs=0.01)
    assert starts[0] == 0
    assert ends[-1] == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize(("count", "labels"), [(0, 0), (1, 1), (2, 2), (5, 5), (24, 5), (366, 5)])
def test_at_most_five_labels_are_written_below_and_the_first_and_last_are_among_them(count: int, labels: int) -> None:
    drawn = chart(*range(count))
    assert len(drawn.label_ticks) == labels
    if count > 1:
        assert [drawn.label_ticks[0].label, drawn.label_ticks[-1].label] == ["1 May", f"{count} May"]


def test_a_chart_of_zeros_is_empty() -> None:
    assert chart(0, 0).is_empty
    assert not chart(0, 1).is_empty


def test_a_point_says_when_and_how_much() -> None:
    assert Point("3 May", 1_234).said == "3 May: 1,234"


def test_numbers_are_written_with_parted_thousands_and_short_beside_an_axis() -> None:
    assert [format_number(value) for value in (0, 1_234, 2.25, 3.0)] == ["0", "1,234", "2.2", "3"]
    assert [short_number(value) for value in (9_000, 250_000, 1_500_000)] == ["9,000", "250k", "1.5M"]
