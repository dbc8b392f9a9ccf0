"""The forms of versions: what a version holds, as text, and what a run is started with, now or by the clock."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django import forms
from pydantic import BaseModel, ValidationError

from agents_hub.models import Profile, ProfilePool
from scheduling.forms import ScheduleForm
from workflows.graph.shapes import EnvironmentTemplate, Graph, Settings
from workflows.models import Schedule, Workflow
from workflows.services.schedules import Wanted

MOST_SAID = 8

M = TypeVar("M", bound=BaseModel)

STARTER: dict[str, Any] = {
    "nodes": [
        {
            "id": "task",
            "name": "First task",
            "type": "iris",
            "is_start_node": True,
            "properties": {"instructions": "Say what is to be done for {{.customer}}.", "tools": []},
            "position": {"x": 0, "y": 0},
        },
        {
            "id": "end",
            "name": "End",
            "type": "output",
            "properties": {"outcomes": ["done"]},
            "position": {"x": 280, "y": 0},
        },
    ],
    "transitions": [{"id": "task-end", "from": "task", "to": "end", "type": "outcome_success"}],
    "sticky_notes": [],
}


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _json_field(label: str, rows: int, **options: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "class": "mono", "spellcheck": "false", "autocapitalize": "none"})
    return forms.CharField(label=label, widget=widget, **options)


class VersionForm(forms.Form):
    """All that a version holds. The cleaned values are the shapes that the service takes."""

    graph = _json_field("Graph", 28, help_text="Nodes, transitions and sticky notes, as JSON.")
    settings = _json_field("Settings", 9, help_text="The limits of a run, as JSON.")
    rules = forms.CharField(
        required=False,
        max_length=200_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Rules for every AI task.",
    )
    environment_template = _json_field(
        "Environment", 3, required=False, help_text="Where actions take place, as JSON. Leave it empty for a browser."
    )

    @classmethod
    def like(cls, version: Workflow | None) -> "VersionForm":
        """With the content of a version, or of a graph to begin with."""
        if version is None:
            return cls(initial={"graph": as_json(STARTER), "settings": as_json(_plain(Settings()))})
        template = version.environment_template
        return cls(
            initial={
                "graph": as_json(version.graph),
                "settings": as_json(version.settings),
                "rules": version.rules,
                "environment_template": as_json(template) if template else "",
            }
        )

    def clean_graph(self) -> Graph:
        return _read(self.cleaned_data["graph"], Graph)

    def clean_settings(self) -> Settings:
        return _read(self.cleaned_data["settings"], Settings)

    def clean_environment_template(self) -> EnvironmentTemplate | None:
        text: str = self.cleaned_data["environment_template"]
        return _read(text, EnvironmentTemplate) if text.strip() else None


class RunForm(forms.Form):
    """A field for each input, and how the run is to be carried out. `before` are the inputs of a run to be repeated."""

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        inputs: Iterable[str],
        profiles: Iterable[Profile],
        before: Mapping[str, Any],
        profile_id: UUID | None = None,
        storage_key: str = "",
    ) -> None:
        super().__init__(data)
        self.inputs, self.before = list(inputs), before
        for name in self.inputs:
            self.fields[f"input_{name}"] = forms.CharField(
                label=name,
                strip=False,
                max_length=100_000,
                initial=_as_text(before[name]) if name in before else "",
                widget=forms.Textarea(attrs={"rows": 2}),
                error_messages={"required": "The workflow needs a value here."},
            )
        choices = [("", "None"), *((str(profile.pk), profile.name) for profile in profiles)]
        self.fields["profile_id"] = forms.TypedChoiceField(
            label="Browser profile", required=False, choices=choices, coerce=UUID, empty_value=None, initial=profile_id
        )
        self.fields["soft_timeout"] = forms.IntegerField(
            label="Minutes until it is told to finish", required=False, min_value=1, max_value=1_440
        )
        self.fields["storage_key"] = forms.CharField(
            label="Key of its shared files",
            required=False,
            max_length=200,
            initial=storage_key,
            help_text="Runs of the agent with the same key share files of their own. Empty, the common ones.",
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
        )

    def values(self) -> dict[str, Any]:
        """The inputs; one that was no text before and was not touched stays what it was."""
        typed = {name: self.cleaned_data[f"input_{name}"] for name in self.inputs}
        return {
            name: self.before[name] if name in self.before and text == _as_text(self.before[name]) else text
            for name, text in typed.items()
        }

    def options(self) -> dict[str, Any]:
        minutes, key = self.cleaned_data["soft_timeout"], self.cleaned_data["storage_key"]
        chosen = {"sharedStorageKey": key, "softTimeoutMins": minutes}
        return {name: value for name, value in chosen.items() if value}


class WorkflowScheduleForm(ScheduleForm, RunForm):
    """When to run, and with what."""

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        inputs: Iterable[str],
        profiles: Iterable[Profile],
        pools: Iterable[ProfilePool],
        schedule: Schedule | None,
    ) -> None:
        super().__init__(
            data,
            inputs=inputs,
            profiles=profiles,
            before=schedule.inputs if schedule else {},
            profile_id=schedule.profile_id if schedule else None,
        )
        self.fields["pool_id"] = forms.TypedChoiceField(
            label="Or a pool of profiles",
            required=False,
            choices=[("", "None"), *((str(pool.pk), pool.name) for pool in pools)],
            coerce=UUID,
            empty_value=None,
            initial=schedule.pool_id if schedule else None,
            help_text="Each run takes the profile whose turn it is.",
        )
        # The last of what a run is started with, and so asked for after both.
        self.order_fields([name for name in self.fields if name != "soft_timeout"])
        self.fields["soft_timeout"].initial = schedule.options.get("softTimeoutMins") if schedule else None
        self.begin_with(schedule)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("profile_id") and cleaned.get("pool_id"):
            self.add_error("pool_id", "Choose a profile or a pool, not both.")
        return cleaned

    def wanted(self, workflow_id: UUID | None) -> Wanted:
        """As the service takes it; for a form that is valid."""
        return Wanted(
            name=self.cleaned_data["name"],
            cron_expression=self.cron.expression,
            time_zone=self.cron.time_zone,
            workflow_id=workflow_id,
            inputs=self.values(),
            profile_id=self.cleaned_data["profile_id"],
            pool_id=self.cleaned_data["pool_id"],
            options=self.options(),
            overlap=self.cleaned_data["overlap"],
        )


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else as_json(value)


def _plain(shape: BaseModel) -> dict[str, Any]:
    return shape.model_dump(by_alias=True, exclude_none=True)


def _read(text: str, shape: type[M]) -> M:
    """The text as the shape; raises with every place that does not fit."""
    if "\\u0000" in text:
        raise forms.ValidationError("It has the character \\u0000, which cannot be stored. Take it out.")
    try:
        return shape.model_validate(json.loads(text, parse_constant=_refuse_constant))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        said = [f"{'.'.join(map(str, fault['loc'])) or 'The whole'}: {fault['msg']}." for fault in faults[:MOST_SAID]]
        more = [f"And {len(faults) - MOST_SAID} more."] if len(faults) > MOST_SAID else []
        raise forms.ValidationError([*said, *more]) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise forms.ValidationError(f"It is not JSON: {error.msg} at {place}.") from None
    except (ValueError, RecursionError):
        raise forms.ValidationError(
            "It is not JSON: it has a value that JSON does not, or is nested too deeply."
        ) from None


def _refuse_constant(name: str) -> object:
    raise ValueError(name)
