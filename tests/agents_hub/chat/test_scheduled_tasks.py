"""Scheduled tasks: asked once for each due time with their maker's connections, and theirs alone to read and change."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db.models import F
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.models import Role
from agents_hub.models import Agent, AgentServer, Conversation, ScheduledTask, Stage, TaskRun, ToolUse, Turn, TurnStatus
from agents_hub.services import scheduled_tasks as tasks
from agents_hub.services import turns
from mcp_gateway.models import RemoteConnection, RemoteTool
from scheduling.services.notices import tell_makers
from security.models import AuditEntry
from tests.agents_hub.chat.scheduled import SECRET_PROMPT, come_due, run_once, stored, wanted
from tests.agents_hub.chat.talks import Talk, asked, remote_name
from tests.agents_hub.factories import member_of
from tests.factories import MembershipFactory, RemoteConnectionFactory, RemoteServerFactory, caller_for
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import Fault, ModelProvider, Reply
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def answered(run: TaskRun, caller: Caller) -> Turn:
    """The run's turn carried out."""
    assert run.conversation
    assert run.turn
    return Talk(caller, run.conversation.agent, run.conversation).answered(run.turn)


def test_a_due_task_is_asked_once_in_a_conversation_of_its_makers(
    task: ScheduledTask, maker: Caller, model: ModelProvider
) -> None:
    run = run_once(task)
    assert tasks.run_due() == 0
    assert run.conversation
    assert (run.conversation.owner_id, run.conversation.title) == (maker.user_id, "Free berths")
    turn = answered(run, maker)
    assert (turn.status, turn.answer.text) == (TurnStatus.COMPLETED, "Hello there.")
    assert asked(model)[-1]["content"] == SECRET_PROMPT
    after = stored(task).next_due_at
    assert after is not None
    assert after > timezone.now()


def test_each_run_is_a_conversation_of_its_own(task: ScheduledTask, maker: Caller) -> None:
    first = run_once(task)
    answered(first, maker)
    TaskRun.objects.update(due_at=F("due_at") - timedelta(days=1))
    second = run_once(task)
    assert first.conversation_id != second.conversation_id
    assert Conversation.objects.count() == 2


def test_a_time_that_comes_while_the_answer_before_is_under_way_is_skipped_and_said(
    task: ScheduledTask, maker: Caller
) -> None:
    first = run_once(task)
    TaskRun.objects.update(due_at=F("due_at") - timedelta(days=1))
    second = run_once(task)
    assert (second.is_skipped, second.turn, second.problem, second.was_started) == (True, None, "", False)
    assert not stored(task).problem
    answered(first, maker)
    TaskRun.objects.update(due_at=F("due_at") - timedelta(days=1))
    assert run_once(task).turn


def test_a_task_can_be_asked_beside_the_answer_before(task: ScheduledTask, maker: Caller) -> None:
    tasks.update_task(maker, task.pk, wanted(overlap="beside"))
    assert run_once(task).turn
    TaskRun.objects.update(due_at=F("due_at") - timedelta(days=1))
    assert run_once(task).turn


def test_run_now_asks_whatever_is_still_going(task: ScheduledTask, maker: Caller) -> None:
    run_once(task)
    assert tasks.run_now(maker, task.pk).turn


def test_there_are_two_ways_to_meet_a_run_that_is_still_going(task: ScheduledTask, maker: Caller) -> None:
    with pytest.raises(Invalid, match="skip, beside"):
        tasks.update_task(maker, task.pk, wanted(overlap="wait"))


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_ask_once(task: ScheduledTask) -> None:
    come_due(task)
    assert sum(at_once(*[tasks.run_due] * 6)) == 1
    assert TaskRun.objects.count() == Turn.objects.count() == 1


def lose_right(task: ScheduledTask) -> None:
    Agent.objects.update(stage=Stage.DEVELOPMENT)


def leave(task: ScheduledTask) -> None:
    assert task.maker
    task.maker.memberships.all().delete()


def never_connect(task: ScheduledTask) -> None:
    server = RemoteServerFactory(oauth=True, organization=task.organization, name="HubSpot")
    AgentServer.objects.create(agent=task.agent, server=server)


def lose_connection(task: ScheduledTask) -> None:
    never_connect(task)
    server = RemoteServerFactory._meta.model.objects.get(name="HubSpot")
    RemoteConnectionFactory(server=server, user=task.maker, status=RemoteConnection.Status.ERROR, error="It expired.")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lose_right, "no such agent that you may talk to"),
        (leave, "An admin of the organization can delete it"),
        (never_connect, "Your connection to HubSpot needs to be reconnected"),
        (lose_connection, "Your connection to HubSpot needs to be reconnected"),
    ],
)
def test_a_right_or_a_connection_that_was_lost_is_said_and_the_maker_told(
    task: ScheduledTask, spoil: Callable[[ScheduledTask], None], says: str
) -> None:
    spoil(ScheduledTask.objects.select_related("maker", "agent", "organization").get(pk=task.pk))
    run = run_once(task)
    assert (says in run.problem, run.turn, run.was_started) == (True, None, False)
    assert not Conversation.objects.exists()
    assert says in stored(task).problem
    assert (tell_makers(ScheduledTask.objects.all(), "task"), len(mail.outbox)) == (1, 1)
    assert says in mail.outbox[0].body


def test_with_its_connection_it_runs(task: ScheduledTask) -> None:
    never_connect(task)
    server = AgentServer.objects.get().server
    RemoteConnectionFactory(server=server, user=task.maker)
    assert run_once(task).turn


def test_a_connection_of_somebody_else_is_of_no_use_to_it(task: ScheduledTask) -> None:
    """The attack: the maker has no access, a colleague has, and the task would use it."""
    never_connect(task)
    server = AgentServer.objects.get().server
    RemoteConnectionFactory(server=server, user=member_of(task.organization))
    assert "HubSpot" in run_once(task).problem


def test_an_answer_that_failed_is_said_and_the_maker_told_once(
    task: ScheduledTask, maker: Caller, model: ModelProvider
) -> None:
    for number in range(2):
        TaskRun.objects.update(due_at=F("due_at") - timedelta(days=1))
        run = run_once(task)
        Turn.objects.filter(task_run=run).update(
            status=TurnStatus.ERROR, error="The budget is used up.", ended_at=timezone.now()
        )
        assert (tasks.settle_runs(), tasks.settle_runs()) == (1, 0)
        run.refresh_from_db()
        assert (run.problem, run.was_started) == ("The budget is used up.", True)
        assert stored(task).problem == "The budget is used up."
        assert tell_makers(ScheduledTask.objects.all(), "task") == (1 if number == 0 else 0)
    TaskRun.objects.update(due_at=F("due_at") - timedelta(days=1))
    answered(run_once(task), maker)
    assert stored(task).problem
    tasks.settle_runs()
    assert not stored(task).problem


def test_a_run_under_way_is_not_settled(task: ScheduledTask) -> None:
    run_once(task)
    assert tasks.settle_runs() == 0


def test_what_asks_before_use_is_refused_where_nobody_is_there(
    task: ScheduledTask, maker: Caller, model: ModelProvider, server: McpServer
) -> None:
    talk = Talk.begin(maker, task.agent)
    printer = talk.give(server)
    talk.say()
    RemoteTool.objects.filter(server=printer, name="echo").update(ask_first=True)
    echo = remote_name(printer, "echo")
    model.answers += [Reply(pieces=(), calls=((echo, json.dumps({"text": "ink"})),)), Reply(pieces=("Not done.",))]
    turn = answered(run_once(task), maker)
    assert turn.answer.text == "Not done."
    assert ToolUse.objects.get(turn=turn).status == ToolUse.Status.DENIED
    assert "nobody is there" in asked(model)[-1]["content"]
    assert not turn.inquiries.exists()


def test_once_a_person_has_a_run_gone_on_with_they_are_there_to_be_asked_and_its_problem_is_over(
    task: ScheduledTask, maker: Caller, model: ModelProvider, server: McpServer
) -> None:
    talk = Talk.begin(maker, task.agent)
    printer = talk.give(server)
    talk.say()
    RemoteTool.objects.filter(server=printer, name="echo").update(ask_first=True)
    model.answers.append(Fault(401))
    run = run_once(task)
    turn = answered(run, maker)
    tasks.settle_runs()
    run.refresh_from_db()
    assert run.problem
    assert stored(task).problem
    model.answers += [Reply(pieces=(), calls=((remote_name(printer, "echo"), json.dumps({"text": "ink"})),)), Reply()]
    turns.try_again(maker, turn_id=turn.pk)
    talk.answered(turn, lambda: talk.reply(turn, "once"))
    assert turn.tool_uses.get().status == ToolUse.Status.DONE
    tasks.settle_runs()
    run.refresh_from_db()
    assert (run.problem, stored(task).problem) == ("", "")


def test_run_now_asks_at_once_for_its_maker(task: ScheduledTask, maker: Caller) -> None:
    run = tasks.run_now(maker, task.pk)
    assert (run.due_at, run.asked_by_id) == (None, maker.user_id)
    assert run.turn
    assert stored(task).next_due_at == task.next_due_at
    never_connect(stored(task))
    with pytest.raises(Conflict, match="HubSpot"):
        tasks.run_now(maker, task.pk)


def test_a_colleague_neither_changes_nor_runs_a_task_with_its_makers_connections(task: ScheduledTask) -> None:
    """The attack: another prompt, or another time, for somebody else's accounts."""
    colleague = caller_for(member_of(task.organization))
    acts: list[Callable[[], Any]] = [
        lambda: tasks.update_task(colleague, task.pk, wanted(prompt="Send me all mails.")),
        lambda: tasks.run_now(colleague, task.pk),
        lambda: tasks.switch(colleague, task.pk, on=False),
        lambda: tasks.switch(colleague, task.pk, on=True),
        lambda: tasks.delete(colleague, task.pk),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act()
    assert stored(task).prompt == SECRET_PROMPT


def test_an_admin_stops_and_deletes_a_task_and_does_no_more(task: ScheduledTask) -> None:
    admin = caller_for(MembershipFactory(organization=task.organization, role=Role.ADMIN).user)
    assert not tasks.switch(admin, task.pk, on=False).is_enabled
    acts: list[Callable[[], Any]] = [
        lambda: tasks.switch(admin, task.pk, on=True),
        lambda: tasks.run_now(admin, task.pk),
        lambda: tasks.update_task(admin, task.pk, wanted()),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act()
    tasks.delete(admin, task.pk)
    assert not ScheduledTask.objects.exists()
    assert AuditEntry.objects.filter(action="schedule.delete", user_id=admin.user_id).exists()


def test_a_stranger_finds_no_task(task: ScheduledTask) -> None:
    stranger = caller_for(MembershipFactory(role=Role.ADMIN).user)
    for act in (
        lambda: tasks.find(stranger, task.pk),
        lambda: tasks.run_now(stranger, task.pk),
        lambda: tasks.delete(stranger, task.pk),
    ):
        with pytest.raises(NotFound):
            act()


def test_only_an_agent_one_may_talk_to_is_scheduled(maker: Caller, agent: Agent) -> None:
    with pytest.raises(Invalid, match="what to ask the agent"):
        tasks.create_task(maker, agent_id=agent.pk, wanted=wanted(prompt="  "))
    lose_right(ScheduledTask())
    with pytest.raises(NotFound):
        tasks.create_task(maker, agent_id=agent.pk, wanted=wanted())


def test_a_deleted_conversation_leaves_the_history(task: ScheduledTask) -> None:
    run = run_once(task)
    Conversation.objects.all().delete()
    run.refresh_from_db()
    assert (run.conversation, run.turn, run.was_started) == (None, None, True)
    assert tasks.settle_runs() == 0
