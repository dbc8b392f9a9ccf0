"""The part of a form that says when: a name, a cron expression and its time zone, with the next runs before saving."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.errors import DomainError
from scheduling.cron import LONGEST, Cron, zone_names
from scheduling.models import AbstractSchedule, Overlap
from scheduling.services.switching import LONGEST_NAME

RUNS_SHOWN = 5
ZONES_ID = "time-zones"
# The preview is one element of a page of its own; a script fetches that page and takes the element over.
ASKS_FOR_NEXT_RUNS = {
    "data-hx-get": reverse_lazy("scheduling:next-runs"),
    "data-hx-include": "#id_cron_expression, #id_time_zone",
    "data-hx-target": "#next-runs",
    "data-hx-select": "#next-runs",
    "data-hx-swap": "outerMorph",
    "data-hx-sync": "#next-runs:replace",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a cron expression means: in words and as its next times; or why it means nothing."""

    words: str = ""
    runs: tuple[datetime, ...] = ()
    fault: str = ""

    @classmethod
    def of(cls, expression: str, time_zone: str) -> "Preview":
        if not expression.strip() or not time_zone.strip():
            return cls()
        try:
            cron = Cron.read(expression, time_zone)
        except DomainError as error:
            return cls(fault=error.message)
        return cls(cron.in_words(), tuple(cron.upcoming(RUNS_SHOWN, timezone.now())))


class ZoneInput(forms.TextInput):
    """A text field that offers the zones while one types."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        written = super().render(name, value, {**(attrs or {}), "list": ZONES_ID}, renderer)
        offered = format_html_join("", '<option value="{}"></option>', ((zone,) for zone in zone_names()))
        return format_html('{}<datalist id="{}">{}</datalist>', written, ZONES_ID, offered)


class TimeForm(forms.Form):
    """An expression and its zone. `cron` is what they mean once the form is valid."""

    cron_expression = forms.CharField(
        label="When, as a cron expression",
        max_length=LONGEST,
        help_text="Minute, hour, day of the month, month, day of the week. <code>0 9 * * MON-FRI</code> is 09:00 on "
        "working days, <code>*/15 * * * *</code> every quarter of an hour.",
        widget=forms.TextInput(
            attrs={
                "class": "mono",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "data-hx-trigger": "input changed delay:300ms",
                **ASKS_FOR_NEXT_RUNS,
            }
        ),
    )
    time_zone = forms.CharField(
        label="Time zone",
        max_length=64,
        initial="UTC",
        help_text="The time zone these times are in, such as <code>Europe/Berlin</code>.",
        widget=ZoneInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "data-hx-trigger": "change",
                **ASKS_FOR_NEXT_RUNS,
            }
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "cron_expression" in cleaned and "time_zone" in cleaned:
            try:
                self.cron = Cron.read(cleaned["cron_expression"], cleaned["time_zone"])
            except DomainError as error:
                self.add_error(str(error.data["field"]), error.message)
        return cleaned

    @property
    def preview(self) -> Preview:
        """Of what stands in the fields, sent or not."""
        return Preview.of(str(self["cron_expression"].value() or ""), str(self["time_zone"].value() or ""))


class ScheduleForm(TimeForm):
    """What every kind of schedule asks for; each product's form adds to it."""

    name = forms.CharField(label="Name", max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    overlap = forms.ChoiceField(
        label="While the previous run is still going",
        choices=Overlap.choices,
        initial=Overlap.SKIP,
        help_text="What happens at the next due time. The history shows each time that was skipped.",
    )

    field_order = ["name", "cron_expression", "time_zone", "overlap"]

    def begin_with(self, schedule: AbstractSchedule | None) -> None:
        """Show what a schedule has now."""
        if schedule is not None:
            shown: Mapping[str, str] = {
                "name": schedule.name,
                "cron_expression": schedule.cron_expression,
                "time_zone": schedule.time_zone,
                "overlap": schedule.overlap,
            }
            self.initial = {**shown, **self.initial}
