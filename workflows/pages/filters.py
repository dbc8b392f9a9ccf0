"""What the list of executions can be narrowed to."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django import forms

from accounts.models import Organization
from agents_hub.models import Agent
from workflows.engine.states import Status
from workflows.models import Label
from workflows.services.listing import Filters

ANY = ("", "Any")
TO_TICK: dict[str, Any] = {"required": False, "widget": forms.CheckboxSelectMultiple}


def _moment(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, required=False, widget=widget)


def _text(label: str, most: int) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=most, widget=widget)


class FilterForm(forms.Form):
    """Sent by GET, so that a narrowed list has an address of its own."""

    status = forms.MultipleChoiceField(choices=Status.choices, **TO_TICK)
    agent_id = forms.TypedChoiceField(label="Agent", required=False, coerce=UUID, empty_value=None)
    created_after = _moment("Started after")
    created_before = _moment("Started before")
    outcome_label = _text("Outcome", 30)
    workflow_version = forms.IntegerField(label="Version", required=False, min_value=1, max_value=2**31 - 1)
    label = forms.TypedMultipleChoiceField(label="Labels", coerce=UUID, empty_value=[], **TO_TICK)
    execution_id = _text("Part of the id", 36)
    inputs_key = _text("Input", 100)
    inputs_value = _text("Input holds", 1_000)
    metadata_key = _text("Metadata", 100)
    metadata_value = _text("Metadata is", 1_000)
    # Whose moments they are. A script fills in the viewer's own zone.
    time_zone = forms.CharField(
        required=False, max_length=64, widget=forms.HiddenInput(attrs={"data-time-zone": ""}), empty_value="UTC"
    )

    MOMENTS = ("created_after", "created_before")
    SHOWN = ("agent_id", "outcome_label", *MOMENTS)
    # Several of which fit any one.
    TICKED = ("status", "label")
    # Of which one says nothing without the other.
    PAIRS = (("inputs_key", "inputs_value"), ("metadata_key", "metadata_value"))

    def __init__(self, data: Mapping[str, Any], *, agents: Iterable[Agent], labels: Iterable[Label]) -> None:
        super().__init__(data)
        self._offer("agent_id", [ANY, *((str(agent.pk), agent.name) for agent in agents)])
        self._offer("label", [(str(label.pk), label.name) for label in labels])

    @property
    def shown(self) -> list[forms.BoundField]:
        return [self[name] for name in self.SHOWN]

    @property
    def folded(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in (*self.SHOWN, *self.TICKED, "time_zone")]

    @property
    def is_unfolded(self) -> bool:
        return any(field.value() for field in (*self.folded, self["label"]))

    def is_narrowing(self) -> bool:
        return any(self.data.get(name) for name in self.fields if name != "time_zone")

    @property
    def zone(self) -> str:
        """Whose the moments of the address are: UTC where it names no zone that is known here."""
        asked = self.data.get("time_zone", "")
        return asked if asked in available_timezones() else "UTC"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for pair in self.PAIRS:
            missing = [name for name in pair if not cleaned.get(name)]
            if len(missing) == 1 and not self.errors.keys() & set(pair):
                other = next(self[name].label for name in pair if name not in missing)
                self.add_error(missing[0], f"Fill this in as well, or leave “{other}” empty.")
        for name in self.MOMENTS:
            moment: datetime | None = cleaned.get(name)
            if moment is not None:
                cleaned[name] = moment.replace(tzinfo=ZoneInfo(self.zone))
        return cleaned

    def filters(self, organization: Organization) -> Filters:
        """As the service takes them; for a form that is valid."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "time_zone"}
        return Filters(organization_id=organization.uid, human_labels=given.pop("label"), **given)

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
