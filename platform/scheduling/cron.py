"""Cron expressions in a time zone: what one means and when it is next due. Knows nothing of rows.

The times of the expression are those on the wall of its zone. One that the clocks jump over is due when they have
jumped; one that they show twice is due the first time. Only what runs in every hour goes on by the hour through both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from accounts.errors import Invalid

LONGEST = 100
EVERY_HOUR = set(range(24))
NAMES_OF_NO_PLACE = ("Etc/", "SystemV/", "posix/", "right/")


@dataclass(frozen=True, slots=True)
class Cron:
    """An expression of five fields that has a next time, in a zone of the IANA database; made by `read`."""

    expression: str
    time_zone: str

    @classmethod
    def read(cls, expression: str, time_zone: str) -> "Cron":
        """The two as they were typed; raises `Invalid` that names the one which cannot be used, and why."""
        expression, time_zone = " ".join(expression.upper().split()), time_zone.strip()
        if time_zone not in zone_names() and time_zone not in available_timezones():
            raise Invalid(
                f"“{time_zone[:60]}” is not a time zone. Give one such as Europe/Berlin, or UTC.",
                data={"field": "time_zone"},
            )
        read = cls(expression, time_zone)
        read._refuse_what_never_comes()
        return read

    def next_after(self, moment: datetime) -> datetime:
        """The first due time after the moment, in UTC."""
        return next(self._due_after(moment))

    def upcoming(self, count: int, after: datetime) -> list[datetime]:
        """The next due times in the zone's own time."""
        due, zone = self._due_after(after), ZoneInfo(self.time_zone)
        return [next(due).astimezone(zone) for _ in range(count)]

    def count_between(self, after: datetime, until: datetime, most: int) -> int:
        """How many due times lie after the one and not after the other; counted up to `most`."""
        due = self._due_after(after)
        return next((number for number in range(most) if next(due) > until), most)

    def in_words(self) -> str:
        return str(CronSim(self.expression, datetime(2000, 1, 1)).explain())  # noqa: DTZ001 - no time is asked for

    def _due_after(self, moment: datetime) -> Iterator[datetime]:
        last, zone = moment.astimezone(UTC), ZoneInfo(self.time_zone)
        for due in self._through_every_hour(last, zone) if self._is_hourly() else self._on_the_wall(last, zone):
            # Two times that the clocks jump over are due at once, and then once.
            if due > last:
                yield due
                last = due

    def _is_hourly(self) -> bool:
        return CronSim(self.expression, datetime(2000, 1, 1)).hours == EVERY_HOUR  # noqa: DTZ001 - as above

    def _through_every_hour(self, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        minute, _, rest = self.expression.split(" ", 2)
        for due in CronSim(f"{minute} * {rest}", after.astimezone(zone)):
            yield due.astimezone(UTC)

    def _on_the_wall(self, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        for shown in CronSim(self.expression, after.astimezone(zone).replace(tzinfo=None)):
            while not _is_ever_shown(shown, zone):
                shown += timedelta(minutes=1)
            yield shown.replace(tzinfo=zone).astimezone(UTC)

    def _refuse_what_never_comes(self) -> None:
        about = {"field": "cron_expression"}
        if len(self.expression) > LONGEST or len(self.expression.split()) != 5:
            raise Invalid(
                "Write five fields with a space between: minute, hour, day of the month, month, day of the week. "
                "“0 9 * * MON-FRI” is 09:00 on working days.",
                data=about,
            )
        try:
            next(CronSim(self.expression, datetime(2000, 1, 1)))  # noqa: DTZ001 - whether there is any at all
        except CronSimError as error:
            field = str(error).removeprefix("Bad ")
            raise Invalid(f"The {field} in “{self.expression}” cannot be used.", data=about) from None
        except StopIteration:
            raise Invalid("No date matches all five fields, so it would never run.", data=about) from None


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """The zones that are offered: UTC, and those called after a place."""
    places = {name for name in available_timezones() if "/" in name and not name.startswith(NAMES_OF_NO_PLACE)}
    return ("UTC", *sorted(places))


def _is_ever_shown(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of the zone show the time; they jump over some when summer begins."""
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
