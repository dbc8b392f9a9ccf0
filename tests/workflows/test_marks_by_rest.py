"""Labels and comments by the REST API: made, given, changed and taken away, and found with their executions."""

from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse

from accounts.models import Role, User
from accounts.scopes import Scope
from tests.agents_hub.api.door import Rest, fault, read, rest
from tests.agents_hub.factories import member_of
from tests.factories import MembershipFactory
from tests.workflows import contract
from tests.workflows.factories import ExecutionFactory
from workflows.models import Execution

pytestmark = pytest.mark.django_db


@pytest.fixture
def execution() -> Execution:
    made: Execution = ExecutionFactory()
    return made


@pytest.fixture
def person(execution: Execution) -> User:
    return member_of(execution.organization)


@pytest.fixture
def key(person: User) -> Rest:
    return rest(person)


def label(key: Rest, execution: Execution, name: str, **more: str) -> Any:
    answer = key.post("labels", {"organizationId": str(execution.organization.uid), "name": name, **more})
    assert answer.status_code == 200
    made = read(answer)
    assert not contract.faults("Label", made)
    return made


def put(key: Rest, execution: Execution, *ids: str) -> HttpResponse:
    return key.ask("PUT", f"executions/{execution.pk}/labels", {"labelIds": ids})


def test_an_execution_is_labelled_and_found_by_its_labels(key: Rest, execution: Execution) -> None:
    good, bad = label(key, execution, " Good  one ", color="#1F6FEB"), label(key, execution, "Bad")
    assert (good["name"], good["color"]) == ("Good one", "#1f6feb")
    assert read(key.get(f"labels?organizationId={execution.organization.uid}")) == [bad, good]
    assert read(put(key, execution, bad["id"], good["id"])) == [bad, good]
    assert read(key.get(f"executions/{execution.pk}"))["humanLabels"] == [bad, good]
    put(key, execution, good["id"])

    def found(one: Any) -> list[str]:
        return [row["id"] for row in read(key.get(f"executions?humanLabels={one['id']}"))["items"]]

    assert (found(good), found(bad)) == ([str(execution.pk)], [])
    renamed = read(key.ask("PATCH", f"labels/{good['id']}", {"name": "Checked"}))
    assert renamed == good | {"name": "Checked"}
    assert read(key.get(f"executions/{execution.pk}"))["humanLabels"] == [renamed]
    assert key.ask("DELETE", f"labels/{good['id']}").status_code == 204
    assert read(key.get(f"executions/{execution.pk}"))["humanLabels"] == []


def test_a_label_that_cannot_be_is_refused_by_name(key: Rest, execution: Execution) -> None:
    organization = str(execution.organization.uid)
    taken, other = label(key, execution, "Checked"), label(key, execution, "Other")
    for body, status, said in (
        ({"name": "Checked"}, 409, "already"),
        ({"name": ""}, 400, "name"),
        ({"name": "Fine", "color": "red"}, 400, "color"),
    ):
        assert fault(key.post("labels", {"organizationId": organization, **body}))[0] == status
        code, message = fault(key.ask("PATCH", f"labels/{other['id']}", body))
        assert (code, said in message) == (status, True), message
    assert fault(put(key, execution, taken["id"], str(uuid4())))[0] == 404
    assert not execution.labels.exists()


def test_comments_are_read_with_the_execution_and_changed_by_who_wrote_them(
    key: Rest, person: User, execution: Execution
) -> None:
    comments = f"executions/{execution.pk}/comments"
    written = read(key.post(comments, {"content": " Looks right. "}))
    assert not contract.faults("Comment", written)
    assert (written["content"], written["public"], written["userId"]) == ("Looks right.", False, str(person.uid))
    changed = read(key.ask("PATCH", f"{comments}/{written['id']}", {"public": True}))
    assert (changed["content"], changed["public"], changed["updatedAt"] is None) == ("Looks right.", True, False)
    assert read(key.get(f"executions/{execution.pk}"))["comments"] == [changed]
    assert fault(key.ask("PATCH", f"{comments}/{written['id']}", {}))[0] == 400
    assert fault(key.post(comments, {"content": "  "}))[0] == 400
    colleague = rest(member_of(execution.organization))
    for method, body in (("PATCH", {"content": "Mine now."}), ("DELETE", None)):
        assert fault(colleague.ask(method, f"{comments}/{written['id']}", body))[0] == 403
    other: Execution = ExecutionFactory(workflow=execution.workflow)
    assert fault(key.ask("DELETE", f"executions/{other.pk}/comments/{written['id']}"))[0] == 404
    assert key.ask("DELETE", f"{comments}/{written['id']}").status_code == 204
    assert not execution.comments.exists()


def test_an_admin_takes_away_what_somebody_else_wrote(key: Rest, execution: Execution) -> None:
    comments = f"executions/{execution.pk}/comments"
    written = read(key.post(comments, {"content": "The customer's password is hunter2."}))
    admin = rest(MembershipFactory(organization=execution.organization, role=Role.ADMIN).user)
    assert fault(admin.ask("PATCH", f"{comments}/{written['id']}", {"content": "Better."}))[0] == 403
    assert admin.ask("DELETE", f"{comments}/{written['id']}").status_code == 204


def test_what_is_another_organizations_is_not_found_and_reading_keys_write_nothing(
    key: Rest, person: User, execution: Execution
) -> None:
    own = label(key, execution, "Ours")
    written = read(key.post(f"executions/{execution.pk}/comments", {"content": "Ours."}))
    asks: list[tuple[str, str, Any]] = [
        ("POST", "labels", {"organizationId": str(execution.organization.uid), "name": "Theirs"}),
        ("PATCH", f"labels/{own['id']}", {"name": "Theirs"}),
        ("DELETE", f"labels/{own['id']}", None),
        ("PUT", f"executions/{execution.pk}/labels", {"labelIds": []}),
        ("POST", f"executions/{execution.pk}/comments", {"content": "Theirs."}),
        ("PATCH", f"executions/{execution.pk}/comments/{written['id']}", {"content": "Theirs."}),
        ("DELETE", f"executions/{execution.pk}/comments/{written['id']}", None),
    ]
    stranger, reader = rest(member_of(ExecutionFactory().organization)), rest(person, Scope.READ)
    assert fault(stranger.get(f"labels?organizationId={execution.organization.uid}"))[0] == 404
    for method, path, body in asks:
        assert fault(stranger.ask(method, path, body))[0] == 404, path
        assert fault(reader.ask(method, path, body))[0] == 403, path
    assert read(reader.get(f"labels?organizationId={execution.organization.uid}")) == [own]
