"""`manage.py execution` and `manage.py workflow`: the same services, from a shell."""

import json
from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import UserFactory
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph, node, way
from workflows.engine import admission
from workflows.engine.run import drive
from workflows.engine.watch import watch
from workflows.management.commands import execution
from workflows.models import Execution, Publication, Workflow

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
    workflow: Workflow, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "over", lambda *_: nullcontext())
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


def test_one_that_runs_is_followed_to_its_end(
    workflow: Workflow, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "over", lambda *_: nullcontext())
    started = run("execution", "run", workflow.agent_id, person=person)
    admission.admit()
    # What a notice tells of: a worker has come.
    monkeypatch.setattr(execution.Command, "_await_notice", lambda self, of: drive(of))
    lines = run("execution", "tail", started, person=person).splitlines()
    assert [line.split()[1] for line in lines] == ["status_changed", "step_started", "step_completed", "status_changed"]


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


def test_nobody_does_what_they_may_not(workflow: Workflow, person: User) -> None:
    stranger = UserFactory()
    for verb in (["workflow", "export", workflow.pk], ["execution", "run", workflow.agent_id]):
        with pytest.raises(CommandError, match=r"There is no such|organizations"):
            run(*verb, person=stranger)
    with pytest.raises(CommandError, match="Nobody here"):
        run("execution", "list", "--as", "nobody@example.com")
    with pytest.raises(CommandError, match="name=value"):
        run("execution", "run", workflow.agent_id, "--input", "order", person=person)
