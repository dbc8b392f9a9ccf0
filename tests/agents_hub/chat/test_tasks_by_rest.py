"""Scheduled tasks by REST: made, changed, run and looked at, by the same rules as on their pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Role, User
from accounts.scopes import Scope
from agents_hub.models import Agent, ScheduledTask, Turn, TurnStatus
from mcp_gateway.rest.routes import chat_api
from security.models import AuditEntry
from tests.agents_hub.api.door import Rest, fault, read
from tests.agents_hub.api.door import rest as rest_of
from tests.agents_hub.chat.scheduled import SECRET_PROMPT, run_once
from tests.agents_hub.factories import member_of
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(maker: Caller) -> Rest:
    return rest_of(User.objects.get(pk=maker.user_id), Scope.WRITE, chat_api)


@pytest.fixture
def colleague(agent: Agent) -> Rest:
    return rest_of(member_of(agent.organization), Scope.WRITE, chat_api)


@pytest.fixture
def admin(agent: Agent) -> Rest:
    return rest_of(MembershipFactory(organization=agent.organization, role=Role.ADMIN).user, Scope.WRITE, chat_api)


def change(api: Rest, task: ScheduledTask, **fields: Any) -> Any:
    return api.ask("PATCH", f"scheduled-tasks/{task.pk}", fields)


def test_a_task_is_made_with_its_next_times_shown(api: Rest, agent: Agent) -> None:
    wanted = {
        "name": "Berths",
        "prompt": "Which are free?",
        "cronExpression": "0 9 * * MON-FRI",
        "timeZone": "Europe/Berlin",
        "overlap": "beside",
    }
    made = read(api.post("scheduled-tasks", {"agentId": str(agent.pk), **wanted}))
    assert {name: made[name] for name in wanted} == wanted
    assert (made["isEnabled"], made["isMine"], len(made["nextDue"])) == (True, True, 5)
    assert made["inWords"].startswith("At 09:00")
    assert read(api.get(f"scheduled-tasks/{made['id']}")) == made
    (listed,) = read(api.get("scheduled-tasks?isMine=true"))["items"]
    assert listed == made


def test_what_is_sent_is_changed_and_the_rest_kept(api: Rest, task: ScheduledTask) -> None:
    changed = read(change(api, task, cronExpression="0 10 * * *", isEnabled=False))
    assert (changed["cronExpression"], changed["prompt"], changed["isEnabled"]) == ("0 10 * * *", SECRET_PROMPT, False)
    assert changed["nextDue"] == []
    assert read(change(api, task, isEnabled=True))["nextDue"]


def test_a_time_that_never_comes_is_refused_and_named(api: Rest, task: ScheduledTask) -> None:
    assert fault(change(api, task, timeZone="Atlantis"))[1].startswith("“Atlantis” is not a time zone")
    assert fault(change(api, task, cronExpression="0 0 31 2 *"))[0] == 400


def test_running_one_now_begins_an_answer_to_look_at(api: Rest, task: ScheduledTask) -> None:
    asked = api.post(f"scheduled-tasks/{task.pk}/run")
    assert asked.status_code == 202
    assert asked.headers["Location"].endswith(read(asked)["turnId"])
    assert read(api.get(f"turns/{read(asked)['turnId']}"))["status"] == "in_progress"


def test_runs_tell_what_each_came_to_and_their_conversations_to_the_maker_alone(
    api: Rest, colleague: Rest, task: ScheduledTask
) -> None:
    run_once(task)
    run_once_more(task)
    skipped, first = read(api.get(f"scheduled-tasks/{task.pk}/runs"))["items"]
    assert (skipped["isSkipped"], skipped["status"], skipped["conversationId"]) == (True, None, None)
    assert (first["isSkipped"], first["status"]) == (False, "in_progress")
    assert first["conversationId"]
    Turn.objects.update(status=TurnStatus.COMPLETED, ended_at=timezone.now())
    theirs = read(colleague.get(f"scheduled-tasks/{task.pk}/runs"))["items"][1]
    assert (theirs["status"], theirs["conversationId"], theirs["turnId"]) == ("completed", None, None)


def run_once_more(task: ScheduledTask) -> None:
    task.runs.update(due_at=timezone.now() - timedelta(days=1))
    run_once(task)


def test_colleagues_see_when_it_runs_and_not_what_it_asks(colleague: Rest, task: ScheduledTask) -> None:
    found = read(colleague.get(f"scheduled-tasks/{task.pk}"))
    assert (found["prompt"], found["isMine"], found["name"]) == (None, False, "Free berths")
    assert SECRET_PROMPT not in colleague.get("scheduled-tasks").content.decode()
    for refused in (
        change(colleague, task, name="Mine"),
        change(colleague, task, isEnabled=False),
        colleague.post(f"scheduled-tasks/{task.pk}/run"),
        colleague.ask("DELETE", f"scheduled-tasks/{task.pk}"),
    ):
        assert fault(refused)[0] == 403


def test_admins_disable_and_delete_the_tasks_of_others(admin: Rest, task: ScheduledTask) -> None:
    assert read(change(admin, task, isEnabled=False))["isEnabled"] is False
    assert fault(change(admin, task, isEnabled=True))[0] == 403
    assert admin.ask("DELETE", f"scheduled-tasks/{task.pk}").status_code == 204
    assert not ScheduledTask.objects.exists()


def test_what_a_task_asks_is_not_repeated_in_the_audit(api: Rest, task: ScheduledTask) -> None:
    change(api, task, prompt="Whom did they call?")
    assert "Whom did they call" not in str(list(AuditEntry.objects.values_list("detail", flat=True)))
