"""The pages of scheduled tasks: their maker's alone, as a browser without scripts uses them."""

import pytest
from django.urls import reverse

from accounts.caller import Caller
from accounts.models import Role, User
from agents_hub.models import Agent, ScheduledTask
from tests.agents_hub.chat.scheduled import SECRET_PROMPT, run_once, stored
from tests.factories import MembershipFactory, caller_for
from tests.pages import signed_in

pytestmark = pytest.mark.django_db


def page_of(task: ScheduledTask) -> str:
    return reverse("scheduling:schedule", args=["task", task.pk])


def test_a_task_is_made_changed_run_and_found_in_the_list(maker: Caller, agent: Agent) -> None:
    browser = signed_in(maker)
    new = reverse("agents:new-task", args=[agent.pk])
    assert new in browser.get(reverse("agents:task-agent")).content.decode()
    sent = {
        "name": "Tides",
        "cron_expression": "0 6 * * *",
        "time_zone": "UTC",
        "overlap": "skip",
        "prompt": "When is high water?",
    }
    shown = browser.post(new, sent | {"act": "check"}).content.decode()
    assert shown.count("<li><time") == 5
    assert not ScheduledTask.objects.exists()
    assert browser.post(new, sent | {"act": "save", "prompt": ""}).status_code == 422
    page = browser.post(new, sent | {"act": "save"}, follow=True).content.decode()
    task = ScheduledTask.objects.get()
    assert "When is high water?" in page
    edit = reverse("agents:edit-task", args=[task.pk])
    assert "When is high water?" in browser.get(edit).content.decode()
    browser.post(edit, sent | {"act": "save", "prompt": "And low water?"})
    assert stored(task).prompt == "And low water?"
    browser.post(reverse("scheduling:act", args=["task", task.pk]), {"act": "run"})
    assert "In progress" in browser.get(page_of(task)).content.decode()
    listed = browser.get(reverse("scheduling:schedules")).content.decode()
    assert "Tides" in listed
    assert f"Task of {agent.name}" in listed


def test_neither_colleagues_nor_admins_read_what_is_asked(task: ScheduledTask) -> None:
    run_once(task)
    for role in Role:
        browser = signed_in(caller_for(MembershipFactory(organization=task.organization, role=role).user))
        page = browser.get(page_of(task)).content.decode()
        assert task.name in page
        assert SECRET_PROMPT not in page
        assert "Conversation …" not in page
        assert "Run now" not in page
        assert ("Disable" in page) == (role == Role.ADMIN)
        answer = browser.get(reverse("agents:edit-task", args=[task.pk]))
        assert (answer.status_code, SECRET_PROMPT in answer.content.decode()) == (403, False)


def test_the_admin_site_does_not_show_the_prompt(task: ScheduledTask) -> None:
    operator = signed_in(User.objects.create_superuser("operator@example.com"))
    page = operator.get(reverse("admin:agents_hub_scheduledtask_change", args=[task.pk])).content.decode()
    assert task.name in page
    assert SECRET_PROMPT not in page
