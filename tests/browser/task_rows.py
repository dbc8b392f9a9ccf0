"""A scheduled task of an agent, with runs that came to everything a run can come to."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import Organization, User
from agents_hub.models import Conversation, Message, ScheduledTask, Speaker, TaskRun, Turn, TurnStatus

PROBLEM = "Your connection to HubSpot needs to be reconnected before this agent can use its tools."


def fill(organization: Organization, person: User, agent_id: object) -> object:
    """The task's id."""
    assert isinstance(agent_id, UUID)
    now = timezone.now()
    task = ScheduledTask.objects.create(
        organization=organization,
        agent_id=agent_id,
        maker=person,
        name="Free berths",
        cron_expression="30 7 * * *",
        time_zone="Europe/Berlin",
        prompt="Which berths are free tonight?\nName each with its price.",
        next_due_at=now + timedelta(hours=5),
    )
    TaskRun.objects.create(schedule=task, due_at=now - timedelta(hours=3), is_skipped=True)
    for number, status in enumerate(TurnStatus, 1):
        conversation = Conversation.objects.create(
            organization=organization, agent_id=agent_id, owner=person, title=task.name
        )
        answer = Message.objects.create(conversation=conversation, speaker=Speaker.AGENT, text="North 4 is free.")
        ended = None if status == TurnStatus.IN_PROGRESS else now
        turn = Turn.objects.create(conversation=conversation, answer=answer, status=status, ended_at=ended)
        failed = status in (TurnStatus.ERROR, TurnStatus.TIMEOUT)
        TaskRun.objects.create(
            schedule=task,
            due_at=now - timedelta(days=number),
            conversation=conversation,
            turn=turn,
            is_settled=True,
            problem="The model did not answer." if failed else "",
        )
    TaskRun.objects.create(schedule=task, due_at=now, problem=PROBLEM, missed=100, is_settled=True)
    TaskRun.objects.create(schedule=task, asked_by=person, is_settled=True)
    return task.pk
