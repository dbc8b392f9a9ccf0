"""An organization's executions in every state that a page of theirs can show, and the versions they ran."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.caller import Caller, Door
from accounts.models import Organization, User
from accounts.scopes import Scope
from agents_hub.services.agents import create_agent
from llm.models import ModelCall
from security.identifiers import uuid7
from tests.workflows.graphs import graph, node, sound, way
from workflows.engine.states import Status
from workflows.graph.shapes import Graph, Settings
from workflows.models import Activity, Comment, Execution, Label, Schedule, ScheduleRun, Workflow
from workflows.services.versions import create_version, publish_version

QUESTION = {
    "question": "Which berth is it for?",
    "header": "Berth",
    "options": [{"label": "North", "description": "Free until noon."}, {"label": "South", "description": ""}],
}
ENDED = timedelta(minutes=3, seconds=20)
PAGES_OF_ANY_EXECUTION = ("execution-labels", "comment", "execution-variables")
PAGES_OF_AGENTS = ("versions", "new-version", "compare", "publications")
# Those whose pages look unlike the others'.
SHOWN = ("starting", "paused_by_agent", "awaiting_confirmation", "completed", "failed")


def fill(organization: Organization, person: User, agent_id: object) -> dict[str, Sequence[object]]:
    """What the arguments of the pages' addresses can be."""
    assert isinstance(agent_id, UUID)
    who = Caller(user_id=person.pk, scope=Scope.ADMIN, door=Door.PAGE)
    published = create_version(who, agent_id=agent_id, graph=Graph.model_validate(sound()), settings=Settings())
    publish_version(who, agent_id=agent_id, workflow_id=published.pk)
    faulty = create_version(
        who,
        agent_id=agent_id,
        graph=Graph.model_validate(graph(node("read"), node("lost", "api"), way("read", "nowhere"))),
        settings=Settings(),
        rules="Answer in English.",
        parent_id=published.pk,
    )
    executions = [_execution(published, person, status) for status in Status]
    idle = create_agent(who, organization_id=organization.uid, name="Without work")
    ModelCall.objects.create(
        organization=organization,
        model="openai:gpt",
        product="workflows",
        subject=str(executions[0].pk),
        input_tokens=1_200,
        output_tokens=34,
        duration_ms=800.0,
    )
    label, comment = _marks(organization, person, executions)
    return {
        "label_id": [label.pk],
        "comment_id": [comment.pk],
        "schedule_id": _schedules(published, person, executions),
        "execution_id": [execution.pk for execution in executions if execution.status in SHOWN],
        "workflow_id": [published.pk, faulty.pk],
        **{f"workflows:{page}.execution_id": [executions[0].pk] for page in PAGES_OF_ANY_EXECUTION},
        **{f"workflows:{page}.execution_id": [executions[0].pk, executions[5].pk] for page in ("upload", "sync")},
        **{f"workflows:{page}.execution_id": [comment.execution_id] for page in ("edit-comment", "delete-comment")},
        **{f"workflows:{page}.agent_id": [agent_id, idle.pk] for page in PAGES_OF_AGENTS},
    }


def _execution(workflow: Workflow, person: User, status: Status) -> Execution:
    told = list(_told(status, person))
    waiting: dict[str, Any] | None = None
    if status == Status.PAUSED_BY_AGENT:
        waiting = {"reason": QUESTION["question"], "questions": [QUESTION]}
    if status == Status.AWAITING_CONFIRMATION:
        waiting = {"reason": "Continue from “Read” to “Ask”?", "transitionId": "read-ask"}
    begun = timezone.now() - timedelta(hours=1)
    execution = Execution.objects.create(
        organization_id=workflow.agent.organization_id,
        agent_id=workflow.agent_id,
        workflow=workflow,
        runner=person,
        status=status,
        created_at=begun,
        terminal_at=begun + ENDED if status.is_terminal else None,
        inputs={"order": "A-117", "shop": "Tidewater Rope"},
        metadata={"ticket": "8812"},
        variables={"orders": [{"id": "A-117", "total": 118.4}]},
        node_id="read",
        waiting_for=waiting,
        wake_at=timezone.now() + timedelta(days=3) if status == Status.PAUSED_BY_AGENT else None,
        activity_count=len(told),
        outcome="done" if status == Status.COMPLETED else "",
        reasoning="The order was found." if status == Status.COMPLETED else "",
        result={"total": 118.4} if status == Status.COMPLETED else None,
        result_id=uuid7() if status == Status.COMPLETED else None,
        failure="The shop did not answer." if status == Status.FAILED else "",
    )
    Activity.objects.bulk_create(
        Activity(execution=execution, number=number, type=kind, payload=payload)
        for number, (kind, payload) in enumerate(told, 1)
    )
    return execution


def _marks(organization: Organization, person: User, executions: Sequence[Execution]) -> tuple[Label, Comment]:
    """Labels, one of them long, and comments of people who are here and who have left."""
    label = Label.objects.create(organization=organization, name="Looked at", color="#1f6feb")
    for name, color in (("Wrong answer of the northern docks", "#ffffff"), ("Again", "#000000")):
        Label.objects.create(organization=organization, name=name, color=color).executions.add(*executions)
    label.executions.add(executions[0])
    for execution in executions:
        Comment.objects.create(execution=execution, content="The order was closed before.\n\nSee the ticket.")
    return label, Comment.objects.create(
        execution=executions[-1], user=person, content="Looks right.", public=True, updated_at=timezone.now()
    )


def _schedules(workflow: Workflow, person: User, executions: Sequence[Execution]) -> Sequence[object]:
    """One that runs and has run in every way, one that cannot be run any more, and one that is switched off."""
    now = timezone.now()
    shared = {"organization_id": workflow.agent.organization_id, "agent": workflow.agent, "maker": person}
    inputs = {"order": "A-117", "shop": "Tidewater Rope"}
    runs, ails, rests = (
        Schedule.objects.create(
            name=name,
            cron_expression="0 9 * * MON-FRI",
            time_zone="Europe/Berlin",
            inputs=inputs,
            next_due_at=now + timedelta(hours=number) if is_enabled else None,
            is_enabled=is_enabled,
            **shared,
        )
        for number, (name, is_enabled) in enumerate(
            {"Morning report": True, "Tide tables of the northern docks": True, "Old orders": False}.items(), 1
        )
    )
    problem = "“Tide watcher” has no published workflow. Publish a version, and the next run takes it."
    Schedule.objects.filter(pk=ails.pk).update(
        problem=problem, problem_since=now, last_due_at=now, workflow=workflow, options={"softTimeoutMins": 5}
    )
    ScheduleRun.objects.create(schedule=runs, asked_by=person)
    ScheduleRun.objects.create(schedule=ails, due_at=now, problem=problem, missed=3)
    for number, execution in enumerate(executions):
        ScheduleRun.objects.create(schedule=runs, due_at=now - timedelta(days=number), execution=execution)
    return [runs.pk, ails.pk, rests.pk]


def _told(status: Status, person: User) -> Sequence[tuple[str, dict[str, Any]]]:
    if status == Status.STARTING:
        return []
    action = {"actionName": "util_get_datetime", "actionId": "1", "message": "util_get_datetime"}
    return [
        ("status_changed", {"status": "running"}),
        ("step_started", {"stepNumber": 1}),
        ("reasoning", {"reasoning": "The day is needed first."}),
        ("action_started", {**action, "info": {"time_zone": "Europe/Berlin"}}),
        ("action_completed", {**action, "duration": 12}),
        ("action_failed", {**action, "duration": 3}),
        ("todos_updated", {"todos": [{"content": "Read the order", "status": "in_progress"}]}),
        ("user_message_received", {"message": "Take the north berth.", "userUUID": str(person.uid)}),
        ("step_completed", {"stepNumber": 1}),
        (
            "transitioned_node",
            {
                "newNodeUUID": "ask",
                "newNodeName": "Ask",
                "newNodeType": "api",
                "fromNodeDuration": 1.5,
                "fromNodeOutput": [{"name": "orders", "value": [{"id": "A-117"}]}],
                "fromNodeSummary": "One order was found.",
            },
        ),
        ("status_changed", {"status": status.value}),
    ]
