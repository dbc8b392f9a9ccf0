"""Bar charts as positions in per cent, so that the server draws the SVG and its text never stretches."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

MOST_TICKS = 5
# Room above the highest bar for the value under the pointer, and below the lowest for the dates; of 100.
TOP, BOTTOM = 12.0, 88.0


@dataclass(frozen=True, slots=True)
class Point:
    label: str
    value: float
    shown: str = ""

    @property
    def said(self) -> str:
        return f"{self.label}: {self.shown or format_number(self.value)}"


@dataclass(frozen=True, slots=True)
class Bar:
    point: Point
    x: str
    width: str
    slot_x: str
    slot_width: str
    y: str
    height: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class Tick:
    label: str
    at: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class BarChart:
    """One series. `unit` names what is counted, such as "messages"."""

    title: str
    unit: str
    points: Sequence[Point]
    has_total: bool = True
    """Whether the values add up to something; what overlaps does not."""

    @property
    def total(self) -> str:
        return format_number(sum(point.value for point in self.points))

    @property
    def is_empty(self) -> bool:
        return not any(point.value for point in self.points)

    @property
    def top_value(self) -> float:
        step = tick_step(max((point.value for point in self.points), default=0))
        highest = max((point.value for point in self.points), default=0)
        return max(step, ceil(highest / step) * step)

    @property
    def bars(self) -> list[Bar]:
        slot = 100 / max(1, len(self.points))
        gap = slot * (0.25 if len(self.points) <= 100 else 0)
        bars = []
        for index, point in enumerate(self.points):
            height = (BOTTOM - TOP) * point.value / self.top_value
            bars.append(
                Bar(
                    point=point,
                    x=_percent(index * slot + gap / 2),
                    width=_percent(slot - gap),
                    slot_x=_percent(index * slot),
                    slot_width=_percent(slot),
                    y=_percent(BOTTOM - height),
                    height=_percent(height),
                    is_first=index == 0,
                )
            )
        return bars

    @property
    def value_ticks(self) -> list[Tick]:
        step = tick_step(self.top_value)
        count = round(self.top_value / step)
        return [
            Tick(short_number(step * n), _percent(BOTTOM - (BOTTOM - TOP) * step * n / self.top_value))
            for n in range(count + 1)
        ]

    @property
    def label_ticks(self) -> list[Tick]:
        """At most five of the points' labels, evenly spread, the first and the last among them."""
        last = len(self.points) - 1
        if last < 0:
            return []
        count = min(MOST_TICKS, last + 1)
        chosen = sorted({round(n * last / max(1, count - 1)) for n in range(count)})
        slot = 100 / (last + 1)
        ticks = []
        for index in chosen:
            if last and index == 0:
                ticks.append(Tick(self.points[index].label, _percent(0), "start"))
            elif last and index == last:
                ticks.append(Tick(self.points[index].label, _percent(100), "end"))
            else:
                ticks.append(Tick(self.points[index].label, _percent((index + 0.5) * slot), "middle"))
        return ticks


def tick_step(highest: float) -> float:
    """The smallest of 1, 2, 2.5 or 5 times a power of ten that covers `highest` in four steps; whole numbers only."""
    if highest <= MOST_TICKS - 1:
        return 1
    rough = highest / (MOST_TICKS - 1)
    power = 10.0 ** floor(log10(rough))
    for factor in (1, 2, 2.5, 5, 10):
        step = factor * power
        if step >= rough and step == round(step):
            return step
    return 10 * power


def format_number(value: float) -> str:
    """1234 as 1,234; one decimal where there is one."""
    rounded = round(value, 1)
    return f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,.1f}"


def short_number(value: float) -> str:
    """1,200 as it is, 250,000 as 250k, 1,500,000 as 1.5M: what fits beside an axis."""
    if value >= 1_000_000:
        return format_number(value / 1_000_000) + "M"
    return format_number(value / 1_000) + "k" if value >= 10_000 else format_number(value)


def _percent(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") + "%"
