"""Labels and comments: of one's own organizations, and shown with the execution."""

from uuid import uuid4

import pytest

from accounts.caller import Caller
from accounts.errors import Conflict, Forbidden, Invalid, NotFound
from tests.agents_hub.factories import member_of
from tests.factories import caller_for
from tests.workflows.factories import ExecutionFactory
from workflows.models import Execution, Label
from workflows.services import executions, listing, marks
from workflows.shapes.executions import ExecutionShape

pytestmark = pytest.mark.django_db


@pytest.fixture
def execution() -> Execution:
    made: Execution = ExecutionFactory()
    return made


@pytest.fixture
def caller(execution: Execution) -> Caller:
    return caller_for(member_of(execution.organization))


def test_labels_are_given_found_and_taken_away(caller: Caller, execution: Execution) -> None:
    uid = execution.organization.uid
    good, bad = (marks.create_label(caller, organization_id=uid, name=name) for name in ("  Good  one ", "Bad"))
    assert [label.name for label in marks.list_labels(caller, organization_id=uid)] == ["Bad", "Good one"]
    marks.set_labels(caller, execution_id=execution.pk, label_ids=[good.pk, bad.pk])
    shown = ExecutionShape.of(executions.find_execution(caller, execution.pk))
    assert [label.name for label in shown.human_labels] == ["Bad", "Good one"]
    marks.set_labels(caller, execution_id=execution.pk, label_ids=[good.pk])

    def found(label: Label) -> list[Execution]:
        return list(listing.list_executions(caller, listing.Filters(human_labels=[label.pk])).rows)

    assert (found(good), found(bad)) == ([execution], [])
    marks.delete_label(caller, label_id=good.pk)
    assert not execution.labels.exists()


def test_a_label_has_a_name_of_its_own_and_a_colour(caller: Caller, execution: Execution) -> None:
    uid = execution.organization.uid
    marks.create_label(caller, organization_id=uid, name="Checked", color="#1F6FEB")
    with pytest.raises(Conflict, match="already"):
        marks.create_label(caller, organization_id=uid, name="Checked")
    for name, color in (("", "#000000"), ("x" * 51, "#000000"), ("Fine", "red"), ("Fine", "#00000")):
        with pytest.raises(Invalid):
            marks.create_label(caller, organization_id=uid, name=name, color=color)


def test_comments_are_shown_and_changed_by_who_wrote_them(caller: Caller, execution: Execution) -> None:
    comment = marks.add_comment(caller, execution_id=execution.pk, content=" Looks right. ")
    changed = marks.change_comment(caller, comment_id=comment.pk, content="Looks wrong.", public=True)
    assert changed.updated_at is not None
    [shown] = ExecutionShape.of(executions.find_execution(caller, execution.pk)).comments
    assert (shown.content, shown.public) == ("Looks wrong.", True)
    colleague = caller_for(member_of(execution.organization))
    with pytest.raises(Forbidden):
        marks.change_comment(colleague, comment_id=comment.pk, content="Mine now.")
    with pytest.raises(Forbidden):
        marks.delete_comment(colleague, comment_id=comment.pk)
    with pytest.raises(Invalid):
        marks.add_comment(caller, execution_id=execution.pk, content="  ")
    marks.delete_comment(caller, comment_id=comment.pk)
    assert not execution.comments.exists()


def test_nothing_of_another_organizations_is_marked_or_used_as_a_mark(caller: Caller, execution: Execution) -> None:
    stranger_execution: Execution = ExecutionFactory()
    stranger = caller_for(member_of(stranger_execution.organization))
    label = marks.create_label(stranger, organization_id=stranger_execution.organization.uid, name="Theirs")
    comment = marks.add_comment(stranger, execution_id=stranger_execution.pk, content="Theirs")
    uid = stranger_execution.organization.uid
    for refused in (
        lambda: marks.list_labels(caller, organization_id=uid),
        lambda: marks.create_label(caller, organization_id=uid, name="Mine"),
        lambda: marks.delete_label(caller, label_id=label.pk),
        lambda: marks.set_labels(caller, execution_id=execution.pk, label_ids=[label.pk]),
        lambda: marks.set_labels(caller, execution_id=execution.pk, label_ids=[uuid4()]),
        lambda: marks.set_labels(caller, execution_id=stranger_execution.pk, label_ids=[]),
        lambda: marks.add_comment(caller, execution_id=stranger_execution.pk, content="Mine"),
        lambda: marks.change_comment(caller, comment_id=comment.pk, content="Mine"),
        lambda: marks.delete_comment(caller, comment_id=comment.pk),
    ):
        with pytest.raises(NotFound):
            refused()
