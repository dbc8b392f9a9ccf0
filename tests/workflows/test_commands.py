"""`manage.py execution` and `manage.py workflow`: the same services, from a shell."""

import json
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from tests.agents_hub.factories import AgentFactory, ProfileFactory, member_of
from tests.factories import UserFactory
from tests.file_storage import keep_files_in
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, way
from workflows.engine import admission
from workflows.engine.run import drive
from workflows.management.commands import execution
from workflows.models import Execution, Label, Publication, Workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow() -> Workflow:
    made: Workflow = WorkflowFactory(
        agent=AgentFactory(name="Harbour desk"), graph=graph(node("end", "output")), version=1
    )
    Publication.objects.create(workflow=made, agent=made.agent)
    return made


@pytest.fixture
def person(workflow: Workflow) -> User:
    return member_of(workflow.agent.organization)


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T10:00:00+00:00")


def run(*arguments: Any, person: User | None = None) -> str:
    said = StringIO()
    who = ["--as", person.email] if person else []
    call_command(*map(str, arguments), *who, stdout=said)
    return said.getvalue().strip()


def test_a_version_that_this_installation_cannot_carry_out_is_valid_with_a_caution(tmp_path: Path) -> None:
    drawn = graph(node("open", "url"), node("end", "output"), way("open", "end", "outcome_success"))
    file = tmp_path / "version.json"
    file.write_text(json.dumps({"graph": drawn, "rules": "", "settings": {}}))
    said = run("workflow", "validate", file)
    assert said.splitlines() == [
        "A run that comes to “Open” fails: this installation does not carry out nodes of type url yet.",
        "It can be published and run here.",
    ]


def test_an_execution_is_started_listed_shown_followed_and_cancelled(
    workflow: Workflow, person: User, unwatched: None
) -> None:
    first = run("execution", "run", workflow.agent_id, "--input", "order=7=8", "--version", 1, person=person)
    assert Execution.objects.get(pk=first).inputs == {"order": "7=8"}
    admission.admit()
    drive(Execution.objects.get().pk)
    second = run("execution", "run", workflow.agent_id, person=person)
    assert run("execution", "cancel", second, person=person) == "The execution is cancelled."
    newest, older, total = run("execution", "list", person=person).splitlines()
    assert (newest.split()[0], older.split()[0], total) == (second, first, "Page 1; 2 in all.")
    assert "completed" in older
    assert older.endswith("Harbour desk  done")
    assert run("execution", "list", "--status", "cancelled", person=person).startswith(second)
    assert json.loads(run("execution", "show", first, person=person))["executionResult"]["outcome"] == "done"
    lines = run("execution", "tail", first, person=person).splitlines()
    assert [line.split()[1] for line in lines] == ["status_changed", "step_started", "step_completed", "status_changed"]


def test_an_execution_is_started_with_files_notes_and_options(
    workflow: Workflow, person: User, tmp_path: Path, settings: Settings
) -> None:
    keep_files_in(tmp_path / "kept", settings)
    profile = ProfileFactory(organization=workflow.agent.organization)
    file = tmp_path / "tides.csv"
    file.write_text("a,b")
    given = ["--file", file, "--metadata", "ticket=8812", "--profile", profile.pk, "--soft-timeout", 5]
    started = run("execution", "run", workflow.agent_id, *given, person=person)
    made = Execution.objects.get(pk=started)
    assert (made.metadata, made.profile, made.options) == ({"ticket": "8812"}, profile, {"softTimeoutMins": 5})
    assert made.files.get().path == "uploads/tides.csv"
    with pytest.raises(CommandError, match=r"nowhere\.csv cannot be read"):
        run("execution", "run", workflow.agent_id, "--file", tmp_path / "nowhere.csv", person=person)


def test_executions_are_listed_by_every_filter_there_is(workflow: Workflow, person: User) -> None:
    common = {"workflow": workflow, "status": "completed", "terminal_at": timezone.now()}
    wanted = ExecutionFactory(
        **common, outcome="Sold out", metadata={"ticket": "17"}, inputs={"order": "A-117"}, created_at=at("2026-05-02")
    )
    ExecutionFactory(**common | {"workflow": WorkflowFactory(agent=workflow.agent)}, created_at=at("2026-04-01"))
    Label.objects.create(organization=workflow.agent.organization, name="Wrong").executions.add(wanted)
    for given in (
        ["--id", str(wanted.pk)],
        ["--label", "Wrong"],
        ["--after", "2026-05-01", "--before", "2026-05-03T12:00"],
        ["--outcome", "sold"],
        ["--metadata", "ticket=17"],
        ["--input", "order=a-11"],
        ["--version", 1, "--status", "completed", "--status", "failed"],
        ["--organization", workflow.agent.organization.uid, "--agent", workflow.agent_id, "--label", "Wrong"],
    ):
        said = run("execution", "list", *given, person=person).splitlines()
        assert (said[0].split()[0], said[-1]) == (str(wanted.pk), "Page 1; 1 in all."), given
    with pytest.raises(CommandError, match="no label “Right”"):
        run("execution", "list", "--label", "Right", person=person)
    with pytest.raises(CommandError, match="--after"):
        run("execution", "list", "--after", "soon", person=person)


def test_an_execution_is_labelled_and_commented_on(workflow: Workflow, person: User) -> None:
    row = ExecutionFactory(workflow=workflow)
    for name in ("Wrong", "Seen"):
        Label.objects.create(organization=row.organization, name=name)
    assert run("execution", "label", row.pk, "Wrong", "Seen", person=person) == "Seen, Wrong"
    made = run("execution", "comment", row.pk, "The order was closed.", "--public", person=person)
    shown = json.loads(run("execution", "show", row.pk, person=person))
    assert [label["name"] for label in shown["humanLabels"]] == ["Seen", "Wrong"]
    assert [(one["id"], one["public"]) for one in shown["comments"]] == [(made, True)]
    assert run("execution", "label", row.pk, person=person) == "It has no labels."


def test_what_is_different_between_two_versions_is_said_line_by_line_or_as_data(
    workflow: Workflow, person: User
) -> None:
    later = WorkflowFactory(
        agent=workflow.agent, parent=workflow, graph=graph(node("end", "output", name="The end")), rules="Be brief."
    )
    said = run("workflow", "diff", later.pk, person=person)
    assert said.splitlines() == [
        f"From Version 1 to {later}.",
        "~ node end: The end",
        '    name: "End" → "The end"',
        "  rules @@ -0,0 +1 @@",
        "  rules +Be brief.",
    ]
    given = json.loads(run("workflow", "diff", workflow.pk, "--before", later.pk, "--json", person=person))
    assert given["nodes"][0]["fields"] == [{"path": "name", "before": "The end", "after": "End"}]
    with pytest.raises(CommandError, match="first version"):
        run("workflow", "diff", workflow.pk, person=person)
    same = run("workflow", "diff", later.pk, "--before", later.pk, person=person)
    assert same.endswith("They contain the same.")


def test_one_that_runs_is_followed_to_its_end(
    workflow: Workflow, person: User, monkeypatch: pytest.MonkeyPatch, unwatched: None
) -> None:
    started = run("execution", "run", workflow.agent_id, person=person)
    admission.admit()
    # What a notice tells of: a worker has come.
    monkeypatch.setattr(execution.Command, "_await_notice", lambda self, of: drive(of))
    lines = run("execution", "tail", started, person=person).splitlines()
    assert [line.split()[1] for line in lines] == ["status_changed", "step_started", "step_completed", "status_changed"]


def test_whoever_has_seen_enough_of_one_that_goes_on_leaves_it_by_ctrl_c(
    workflow: Workflow, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = run("execution", "run", workflow.agent_id, person=person)

    def enough(self: execution.Command, of: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(execution.Command, "_await_notice", enough)
    with pytest.raises(SystemExit) as left:
        run("execution", "tail", started, person=person)
    assert left.value.code == 130


def test_a_version_goes_out_to_a_file_and_comes_in_elsewhere(workflow: Workflow, person: User, tmp_path: Path) -> None:
    file = tmp_path / "version.json"
    run("workflow", "export", workflow.pk, "--to", file, person=person)
    assert run("workflow", "validate", file) == "It can be published and run here."
    assert json.loads(run("workflow", "export", workflow.pk, person=person)) == json.loads(file.read_text())
    elsewhere = AgentFactory()
    other = member_of(elsewhere.organization)
    made = Workflow.objects.get(pk=run("workflow", "import", elsewhere.pk, file, person=other))
    assert (made.agent, made.version, made.drawn, made.settings) == (elsewhere, None, workflow.drawn, workflow.settings)


def test_all_that_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    file = tmp_path / "version.json"
    with pytest.raises(CommandError, match="cannot be read"):
        run("workflow", "validate", file)
    file.write_text('{"graph": {"nodes": [{}]}}')
    with pytest.raises(CommandError, match=r"not an exported version.*settings.*"):
        run("workflow", "validate", file)
    file.write_text(json.dumps({"settings": {}, "graph": graph(node("look"))}))
    with pytest.raises(CommandError, match="faults"):
        run("workflow", "validate", file)


def test_a_file_that_is_no_text_or_cannot_be_written_is_said_in_words(
    workflow: Workflow, person: User, tmp_path: Path
) -> None:
    file = tmp_path / "version.json"
    file.write_bytes(b"\xff\xfe{}")
    with pytest.raises(CommandError, match="is not an exported version"):
        run("workflow", "validate", file)
    with pytest.raises(CommandError, match="cannot be written: Is a directory"):
        run("workflow", "export", workflow.pk, "--to", tmp_path, person=person)
    run("workflow", "export", workflow.pk, "--to", file, person=person)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert run("workflow", "validate", file) == "It can be published and run here."


def test_nobody_does_what_they_may_not(workflow: Workflow, person: User) -> None:
    stranger = UserFactory()
    for verb in (["workflow", "export", workflow.pk], ["execution", "run", workflow.agent_id]):
        with pytest.raises(CommandError, match=r"There is no such|organizations"):
            run(*verb, person=stranger)
    with pytest.raises(CommandError, match="Nobody here"):
        run("execution", "list", "--as", "nobody@example.com")
    with pytest.raises(CommandError, match="name=value"):
        run("execution", "run", workflow.agent_id, "--input", "order", person=person)
