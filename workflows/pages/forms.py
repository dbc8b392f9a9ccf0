"""The forms of versions: what a version holds, as text, and what a run is started with, now or by the clock."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.utils.datastructures import MultiValueDict
from pydantic import BaseModel, RootModel, ValidationError

from accounts.errors import DomainError
from accounts.pages.forms import show_refusal
from agents_hub.files import content
from agents_hub.models import Profile, ProfilePool
from agents_hub.pages.files import ManyFilesInput
from scheduling.forms import ScheduleForm
from workflows.graph.shapes import EnvironmentTemplate, Graph, Settings
from workflows.models import Execution, ExecutionFile, Schedule, Workflow
from workflows.services.schedules import Wanted
from workflows.shapes.executions import Metadata

MOST_SAID = 8
# What does not fit a shape, in words for people where pydantic's are for programs.
FAULTS = {"missing": "It is missing", "extra_forbidden": "There is nothing of this name here"}
NOT_JSON = "not_json"
# Profiles and pools offered in a choice, besides the one that is chosen already; the API takes any.
MOST_CHOICES = 200

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


class Notes(RootModel[Metadata]):
    """Metadata as people write it."""


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

    def clean(self) -> dict[str, Any]:
        """A field that is no JSON says at which place, as line and column, so that a script can lead there."""
        for name, errors in self.errors.as_data().items():
            place = next((error.params for error in errors if error.code == NOT_JSON), None)
            if place:
                self.fields[name].widget.attrs["data-caret"] = f"{place['line']}:{place['column']}"
        return super().clean() or self.cleaned_data

    def clean_graph(self) -> Graph:
        return _read(self.cleaned_data["graph"], Graph)

    def clean_settings(self) -> Settings:
        return _read(self.cleaned_data["settings"], Settings)

    def clean_environment_template(self) -> EnvironmentTemplate | None:
        text: str = self.cleaned_data["environment_template"]
        return _read(text, EnvironmentTemplate) if text.strip() else None


@dataclass(frozen=True, slots=True)
class Before:
    """What a run that is made once more was started with; nothing of it where there is none."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    profile_id: UUID | None = None
    pool_id: UUID | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Execution | Schedule | None) -> "Before":
        if row is None:
            return cls()
        # A profile that was taken from a pool is the pool's to give again.
        return cls(row.inputs, None if row.pool_id else row.profile_id, row.pool_id, row.options)


class RunForm(forms.Form):
    """A field for each input, and how the run is to be carried out."""

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        files: "MultiValueDict[str, UploadedFile[Any]] | None" = None,
        *,
        organization_id: int,
        inputs: Iterable[str],
        before: Before,
    ) -> None:
        super().__init__(data, files)
        self.inputs, self.before = list(inputs), before.inputs
        for name in self.inputs:
            self.fields[f"input_{name}"] = forms.CharField(
                label=name,
                strip=False,
                max_length=100_000,
                initial=_as_text(self.before[name]) if name in self.before else "",
                widget=forms.Textarea(attrs={"rows": 2}),
                error_messages={"required": "The workflow needs a value here."},
            )
        profiles = Profile.objects.filter(organization_id=organization_id)
        pools = ProfilePool.objects.filter(organization_id=organization_id)
        self.fields["profile_id"] = _one_of("Browser profile", profiles, before.profile_id)
        self.fields["pool_id"] = _one_of("Or a pool of profiles", pools, before.pool_id)
        self.fields["pool_id"].help_text = "Each run takes the profile whose turn it is."
        self.fields["soft_timeout"] = forms.IntegerField(
            label="Minutes until it is told to finish",
            required=False,
            min_value=1,
            max_value=1_440,
            initial=before.options.get("softTimeoutMins"),
        )
        self.fields["storage_key"] = forms.CharField(
            label="Key of its shared files",
            required=False,
            max_length=200,
            initial=before.options.get("sharedStorageKey", ""),
            help_text="Runs of the agent with the same key share files of their own. Empty, the common ones.",
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("profile_id") and cleaned.get("pool_id"):
            self.add_error("pool_id", "Choose a profile or a pool, not both.")
        return cleaned

    def values(self) -> dict[str, Any]:
        """The inputs; one that was no text before and was not touched stays what it was."""
        typed = {name: self.cleaned_data[f"input_{name}"] for name in self.inputs}
        return {
            name: self.before[name] if name in self.before and text == _as_text(self.before[name]) else text
            for name, text in typed.items()
        }

    def refuse(self, error: DomainError) -> None:
        """Say what the service says under the field it is about, which it knows by its name on the wire."""
        if error.data.get("field") == "executionOptions.softTimeoutMins":
            self.add_error("soft_timeout", "Give fewer than a run may take in all: max_timeout_mins of its settings.")
        else:
            show_refusal(self, error)

    def options(self) -> dict[str, Any]:
        minutes, key = self.cleaned_data["soft_timeout"], self.cleaned_data["storage_key"]
        chosen = {"sharedStorageKey": key, "softTimeoutMins": minutes}
        return {name: value for name, value in chosen.items() if value}


class FilesField(forms.Field):
    """Files as they were sent. What they may be is the service's to say."""

    def clean(self, value: "list[UploadedFile[Any]] | None") -> "list[UploadedFile[Any]]":
        return value or []


class StartForm(RunForm):
    """What a run is started with now: besides, files and notes."""

    def __init__(
        self, *args: Any, metadata: Mapping[str, str], files_before: Sequence[ExecutionFile], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        if files_before:
            names = ", ".join(file.name for file in files_before[:MOST_SAID])
            more = f" and {len(files_before) - MOST_SAID} more" if len(files_before) > MOST_SAID else ""
            self.fields["keep_files"] = forms.BooleanField(
                label="Give it the files of the earlier run", required=False, initial=True, help_text=names + more
            )
        self.fields["files"] = FilesField(
            label="More files" if files_before else "Files",
            required=False,
            widget=ManyFilesInput(),
            help_text=f"Up to {content.MOST_AT_ONCE} at once, {content.LARGEST_BYTES // content.MIB} MB each. "
            "The agent finds them in uploads.",
        )
        self.fields["metadata"] = _json_field(
            "Metadata",
            3,
            required=False,
            initial=as_json(metadata) if metadata else "",
            help_text='Your own notes, text by name, as JSON: {"ticket": "8812"}. Executions can be found by them.',
        )

    def ask_for_files_again(self) -> None:
        """Of a form that was refused: a browser offers no file that was chosen once more, and none is kept."""
        chosen = [file.name or "" for file in self["files"].data or []]
        if chosen:
            names = ", ".join(chosen[:MOST_SAID]) + (" …" if len(chosen) > MOST_SAID else "")
            self.add_error("files", f"Choose the files again, they were not kept: {names}")

    def clean_metadata(self) -> dict[str, str]:
        text: str = self.cleaned_data["metadata"]
        return _read(text, Notes).root if text.strip() else {}


class WorkflowScheduleForm(ScheduleForm, RunForm):
    """When to run, and with what."""

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        organization_id: int,
        inputs: Iterable[str],
        schedule: Schedule | None,
    ) -> None:
        super().__init__(data, organization_id=organization_id, inputs=inputs, before=Before.of(schedule))
        self.begin_with(schedule)

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


def _one_of(
    label: str, rows: "QuerySet[Profile] | QuerySet[ProfilePool]", chosen: UUID | None
) -> forms.TypedChoiceField:
    """A choice of the rows by name; of very many the first, and the one that is chosen: else saving would undo it."""
    offered = dict(rows.order_by("name").values_list("pk", "name")[:MOST_CHOICES])
    if chosen is not None and chosen not in offered:
        offered |= dict(rows.filter(pk=chosen).values_list("pk", "name"))
    choices = [("", "None"), *((str(pk), name) for pk, name in offered.items())]
    return forms.TypedChoiceField(
        label=label, required=False, choices=choices, coerce=UUID, empty_value=None, initial=chosen
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
        said = [
            f"{'.'.join(map(str, fault['loc'])) or 'The whole'}: {FAULTS.get(fault['type'], fault['msg'])}."
            for fault in faults[:MOST_SAID]
        ]
        more = [f"And {len(faults) - MOST_SAID} more."] if len(faults) > MOST_SAID else []
        raise forms.ValidationError([*said, *more]) from None
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        fault = f"It is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        raise forms.ValidationError(fault, code=NOT_JSON, params=place) from None
    except (ValueError, RecursionError):
        raise forms.ValidationError(
            "It is not JSON: it has a value that JSON does not, or is nested too deeply."
        ) from None


def _refuse_constant(name: str) -> object:
    raise ValueError(name)
