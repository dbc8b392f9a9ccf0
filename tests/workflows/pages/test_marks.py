"""Labels and comments by page: an organization's labels, those of an execution, and what people write about it."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Role, User
from tests.agents_hub.factories import member_of
from tests.factories import MembershipFactory
from tests.workflows.factories import ExecutionFactory
from workflows.models import Comment, Execution, Label
from workflows.services import marks

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    person: User = MembershipFactory(role=Role.MEMBER, user__name="Ada Byron").user
    return person


@pytest.fixture
def execution(person: User) -> Execution:
    made: Execution = ExecutionFactory(workflow__agent__organization=person.organizations.get())
    return made


def label(execution: Execution, name: str) -> Label:
    made: Label = Label.objects.create(organization=execution.organization, name=name)
    return made


def test_labels_are_made_changed_and_deleted_on_a_page_of_the_organization(
    browser: Client, execution: Execution
) -> None:
    page = reverse("workflows:labels")
    assert "No labels yet" in browser.get(page).text
    browser.post(reverse("workflows:new-label"), {"name": "Checked", "color": "#1f6feb"})
    made = Label.objects.get()
    execution.labels.add(made)
    shown = browser.get(page).text
    assert 'fill="#1f6feb"/></svg>Checked</span>' in shown
    assert f"{reverse('workflows:executions')}?label={made.pk}" in shown
    browser.post(reverse("workflows:edit-label", args=[made.pk]), {"name": "<Looked at>", "color": "#000000"})
    assert "&lt;Looked at&gt;" in browser.get(reverse("workflows:execution", args=[execution.pk])).text
    confirm = reverse("workflows:delete-label", args=[made.pk])
    assert "taken from 1 execution" in browser.get(confirm).text
    browser.post(confirm)
    assert not Label.objects.exists()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"name": "Checked", "color": "#000000"}, "already"),
        ({"name": " ", "color": "#000000"}, "Give the label a name."),
        ({"name": "Fine", "color": "red"}, "is not a colour"),
    ],
    ids=["taken", "empty", "colour"],
)
def test_a_label_that_cannot_be_is_said_under_its_field(
    browser: Client, execution: Execution, sent: dict[str, str], said: str
) -> None:
    label(execution, "Checked")
    other = label(execution, "Other")
    for page in (reverse("workflows:new-label"), reverse("workflows:edit-label", args=[other.pk])):
        answer = browser.post(page, sent)
        assert (answer.status_code, said in answer.text) == (422, True)
    assert set(Label.objects.values_list("name", flat=True)) == {"Checked", "Other"}


def test_an_execution_is_labelled_and_found_by_any_of_several_labels(browser: Client, execution: Execution) -> None:
    good, bad = label(execution, "Good"), label(execution, "Bad")
    page = reverse("workflows:execution-labels", args=[execution.pk])
    assert page in browser.get(reverse("workflows:execution", args=[execution.pk])).text
    browser.post(page, {"labels": [str(good.pk)], "new": "Brand new"})
    assert set(execution.labels.values_list("name", flat=True)) == {"Good", "Brand new"}
    browser.post(page, {"labels": [str(bad.pk)]})
    assert list(execution.labels.all()) == [bad]
    twice = browser.post(page, {"labels": [str(bad.pk)], "new": "Good"})
    assert (twice.status_code, "already" in str(twice.context["form"].errors["new"])) == (422, True)

    def found(*labels: Label) -> list[Execution]:
        asked = {"label": [str(one.pk) for one in labels]}
        return list(browser.get(reverse("workflows:executions"), asked).context["page"].rows)

    assert (found(good), found(good, bad)) == ([], [execution])
    browser.post(page, {})
    assert not execution.labels.exists()


def test_a_comment_is_written_on_the_executions_page_changed_and_deleted(
    browser: Client, person: User, execution: Execution
) -> None:
    page = reverse("workflows:execution", args=[execution.pk])
    write = reverse("workflows:comment", args=[execution.pk])
    assert f'action="{write}"' in browser.get(page).text
    answer = browser.post(write, {"content": "<b>Looks</b> right."})
    made = Comment.objects.get()
    assert answer.headers["Location"] == f"{page}#c{made.pk}"
    shown = browser.get(page).text
    for part in ("&lt;b&gt;Looks&lt;/b&gt; right.", "Ada Byron", f'id="c{made.pk}"'):
        assert part in shown, part
    edit = reverse("workflows:edit-comment", args=[execution.pk, made.pk])
    assert "Looks" in browser.get(edit).text
    browser.post(edit, {"content": "Looks wrong.", "public": "on"})
    shown = browser.get(page).text
    for part in ("Looks wrong.", "Public", "changed"):
        assert part in shown, part
    delete = reverse("workflows:delete-comment", args=[execution.pk, made.pk])
    assert "Looks wrong." in browser.get(delete).text
    browser.post(delete)
    assert not Comment.objects.exists()


def test_what_is_wrong_with_a_comment_is_said_and_what_was_written_is_there(
    browser: Client, execution: Execution
) -> None:
    write = reverse("workflows:comment", args=[execution.pk])
    assert "Write something." in browser.post(write, {"content": " "}).text
    answer = browser.post(write, {"content": "Long. " * 2_000})
    assert (answer.status_code, "Long. Long." in answer.text) == (422, True)
    assert not Comment.objects.exists()


def test_somebody_elses_comment_is_read_and_admins_can_delete_it(
    browser: Client, person: User, execution: Execution
) -> None:
    other = member_of(execution.organization)
    made = Comment.objects.create(execution=execution, user=other, content="Theirs.")
    where = [execution.pk, made.pk]
    page = reverse("workflows:execution", args=[execution.pk])
    edit, delete = (reverse(f"workflows:{name}-comment", args=where) for name in ("edit", "delete"))
    shown = browser.get(page).text
    assert "Theirs." in shown
    assert edit not in shown
    assert delete not in shown
    assert browser.post(edit, {"content": "Mine now."}).status_code == 422
    assert browser.post(delete).status_code == 403
    Membership.objects.filter(user=person).update(role=Role.ADMIN)
    assert delete in browser.get(page).text
    browser.post(delete)
    assert not Comment.objects.exists()
    # Whoever wrote it may have left.
    Comment.objects.create(execution=execution, content="Orphaned.")
    assert "Someone who has left" in browser.get(page).text


def test_nothing_of_another_organizations_is_found(browser: Client) -> None:
    other: Execution = ExecutionFactory()
    made = label(other, "Theirs")
    comment = Comment.objects.create(execution=other, content="Theirs.")
    for name, where in (
        ("edit-label", [made.pk]),
        ("delete-label", [made.pk]),
        ("execution-labels", [other.pk]),
        ("comment", [other.pk]),
        ("edit-comment", [other.pk, comment.pk]),
        ("delete-comment", [other.pk, comment.pk]),
    ):
        address = reverse(f"workflows:{name}", args=where)
        for answer in (browser.get(address), browser.post(address, {"name": "Mine", "content": "Mine."})):
            assert answer.status_code == 404, name
    assert browser.get(reverse("workflows:executions"), {"label": str(made.pk)}).status_code == 422


def test_comments_end_where_there_are_too_many(
    browser: Client, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "MOST_COMMENTS", 1)
    write = reverse("workflows:comment", args=[execution.pk])
    assert browser.post(write, {"content": "One."}).status_code == 302
    answer = browser.post(write, {"content": "Two."})
    assert (answer.status_code, "has 1 comments" in answer.text) == (422, True)
