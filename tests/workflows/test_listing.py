"""Finding executions: what each filter finds, and that an index brings it however many there are."""

from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Invalid, NotFound
from accounts.models import Organization
from tests.agents_hub.api.door import fault, read, rest
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import OrganizationFactory, caller_for
from tests.query_plans import plans
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from workflows.models import Activity, Execution, Label
from workflows.services import listing
from workflows.services.listing import Filters, list_executions

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MANY = 20_000


def test_each_filter_finds_what_it_asks_for_and_nothing_else() -> None:
    organization = OrganizationFactory()
    caller = caller_for(member_of(organization))
    common = {"workflow__agent__organization": organization, "created_at": NOW}
    plain: Execution = ExecutionFactory(**common)
    label = Label.objects.create(organization=organization, name="Checked")
    special: Execution = ExecutionFactory(
        **common | {"created_at": NOW - timedelta(days=2)},
        workflow__version=7,
        status="failed",
        terminal_at=NOW,
        outcome="Out of stock",
        metadata={"ticket": "17", "other": "x"},
        inputs={"order": "Berth 4 Süd", "count": 12},
    )
    label.executions.add(special)
    ExecutionFactory(metadata={"ticket": "17"}, outcome="Out of stock")  # somebody else's
    finding: dict[str, Any] = {
        "organization_id": None,
        "execution_id": str(special.pk)[9:-3].upper(),
        "agent_id": special.agent_id,
        "status": ["failed", "cancelled"],
        "created_before": NOW - timedelta(days=1),
        "human_labels": [label.pk],
        "outcome_label": "of STOCK",
        "metadata_key,metadata_value": ("ticket", "17"),
        "inputs_key,inputs_value": ("order", "SÜD"),
        "workflow_version": 7,
    }

    def found(names: str, value: Any) -> list[Execution]:
        given = dict(zip(names.split(","), value, strict=True)) if "," in names else {names: value}
        return list(list_executions(caller, Filters(**given)).rows)

    assert found("organization_id", organization.uid) == [plain, special]
    for names, value in finding.items():
        assert found(names, value) == ([plain, special] if value is None else [special]), names
    assert found("created_after", NOW - timedelta(days=1)) == [plain]
    assert found("execution_id", str(special.pk)) == [special]
    assert found("inputs_key,inputs_value", ("count", "12")) == [special]
    for names, value in (
        ("metadata_key,metadata_value", ("ticket", "1")),
        ("inputs_key,inputs_value", ("shop", "Süd")),
        ("outcome_label", "50%"),
        ("execution_id", "%"),
        ("workflow_version", 8),
    ):
        assert found(names, value) == []
    asked = {name for names in [*finding, "created_after"] for name in names.split(",")}
    assert asked == {field.name for field in fields(Filters)}


def test_a_key_without_its_value_and_ids_of_others_are_refused() -> None:
    organization, other = OrganizationFactory(), OrganizationFactory()
    caller = caller_for(member_of(organization))
    halves: list[dict[str, Any]] = [
        {"metadata_key": "a"},
        {"metadata_value": "a"},
        {"inputs_key": "a"},
        {"inputs_value": "a"},
    ]
    for half in halves:
        with pytest.raises(Invalid, match="together"):
            list_executions(caller, Filters(**half))
    label = Label.objects.create(organization=other, name="Theirs")
    strange: list[dict[str, Any]] = [
        {"organization_id": other.uid},
        {"agent_id": AgentFactory(organization=other).pk},
        {"human_labels": [label.pk]},
    ]
    for foreign in strange:
        with pytest.raises(NotFound):
            list_executions(caller, Filters(**foreign))


@pytest.mark.parametrize("sort_field", ["created_at", "status"])
@pytest.mark.parametrize("sort_direction", ["asc", "desc"])
def test_few_that_are_found_come_in_the_order_and_the_pages_of_many(
    monkeypatch: pytest.MonkeyPatch, sort_field: Any, sort_direction: Any
) -> None:
    organization = OrganizationFactory()
    caller = caller_for(member_of(organization))
    for number, status in enumerate(("running", "paused", "failed", "paused_by_agent", "completed", "paused")):
        ExecutionFactory(
            workflow__agent__organization=organization,
            status=status,
            terminal_at=NOW,
            created_at=NOW - timedelta(minutes=number % 3),
            outcome="Out of stock",
        )
    ExecutionFactory(outcome="Out of stock")  # somebody else's

    def pages() -> list[tuple[list[Any], int]]:
        filters = Filters(outcome_label="stock")
        order: dict[str, Any] = {"sort_field": sort_field, "sort_direction": sort_direction}
        found = [list_executions(caller, filters, page=number, page_size=4, **order) for number in (1, 2, 3)]
        return [([row.pk for row in page.rows], page.total) for page in found]

    few = pages()
    monkeypatch.setattr(listing, "FEW", 2)
    assert few == pages()
    assert [(len(rows), total) for rows, total in few] == [(4, 6), (2, 6), (0, 6)]


def many_executions(organization: Organization) -> Label:
    """20,000 executions in one organization and 10,000 in others, as a platform that has run for a while knows them."""
    workflows = [WorkflowFactory(agent__organization=organization, version=number) for number in (1, 2)]
    others = [WorkflowFactory(version=1) for _ in range(2)]
    label = Label.objects.create(organization=organization, name="Checked")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO workflows_execution (id, organization_id, agent_id, workflow_id, status, created_at,
                terminal_at, inputs, metadata, options, trigger, cron_expression, node_id, variables, step_count,
                activity_count, active_seconds, wanted, fence, attempts, outcome, reasoning, failure)
            SELECT gen_random_uuid(), (%(organizations)s::bigint[])[place], (%(agents)s::uuid[])[place],
                (%(workflows)s::uuid[])[place],
                CASE WHEN n %% 2000 = 0 THEN 'failed' ELSE 'completed' END, %(now)s - n * interval '1 minute', %(now)s,
                jsonb_build_object('order', 'order ' || n), jsonb_build_object('ticket', n::text), '{}', 'api', '', '',
                '{}', 1, 1, 0, '', 1, 0, 'done', '', ''
            FROM (SELECT n, CASE WHEN n > %(many)s THEN 3 + n %% 2 WHEN n %% 40 = 0 THEN 2 ELSE 1 END AS place
                  FROM generate_series(1, %(many)s + 10000) AS n) AS rows
            """,
            {
                "many": MANY,
                "now": NOW,
                "organizations": [flow.agent.organization_id for flow in [*workflows, *others]],
                "agents": [flow.agent_id for flow in [*workflows, *others]],
                "workflows": [flow.pk for flow in [*workflows, *others]],
            },
        )
        cursor.execute(
            "INSERT INTO workflows_label_executions (label_id, execution_id) "
            "SELECT %s, id FROM workflows_execution WHERE organization_id = %s AND status = 'failed'",
            [label.pk, organization.pk],
        )
        cursor.execute("VACUUM ANALYZE workflows_execution, workflows_label_executions, workflows_workflow")
    return label


Asked = Callable[[Label], dict[str, Any]]
PAGES: list[tuple[Asked, dict[str, Any], str, int]] = [
    (lambda label: {}, {}, "execution_by_creation", MANY),
    (lambda label: {}, {"sort_direction": "asc", "page": 40}, "execution_by_creation", MANY),
    (lambda label: {}, {"sort_field": "status"}, "execution_by_state", MANY),
    (lambda label: {}, {"sort_field": "status", "sort_direction": "asc"}, "execution_by_state", MANY),
    (lambda label: {"status": ["failed"]}, {}, "execution_by_", 10),
    (lambda label: {"status": ["failed", "cancelled"]}, {"sort_field": "status"}, "execution_by_state", 10),
    (lambda label: {"agent_id": Execution.objects.filter(workflow__version=2)[0].agent_id}, {}, "execution_by_", 500),
    (lambda label: {"created_after": NOW - timedelta(minutes=99)}, {}, "execution_by_creation", 99),
    (lambda label: {"created_before": NOW - timedelta(minutes=19_990)}, {}, "execution_by_creation", 11),
    (lambda label: {"human_labels": [label.pk]}, {}, "workflows_label_executions", 10),
    (lambda label: {"metadata_key": "ticket", "metadata_value": "4711"}, {}, "execution_by_metadata", 1),
    (lambda label: {"workflow_version": 2}, {}, "workflows_workflow", 500),
    # Of these a part is looked for, which no index finds: the organization's own are read, in whatever order.
    (lambda label: {"outcome_label": "DON"}, {}, "organization_id = ", MANY),
    (lambda label: {"inputs_key": "order", "inputs_value": "Order 4"}, {}, "organization_id = ", 1_111),
]


@pytest.mark.django_db(transaction=True)
def test_every_filter_over_20_000_executions_goes_by_an_index() -> None:
    organization = OrganizationFactory()
    label = many_executions(organization)
    caller: Caller = caller_for(member_of(organization))
    wrong = {}
    for asked, order, index, total in PAGES:
        filters = Filters(organization_id=organization.uid, **asked(label))
        with plans("workflows_execution") as found:
            page = list_executions(caller, filters, **order)
        # The last that is limited brings the page; before it, all of them may have been looked for and found too many.
        # Whether there are reruns of what is shown is asked after it.
        rows = [plan for plan in found if "Limit" in plan and "parent_id" not in plan][-1]
        if index not in rows or "Seq Scan on workflows_execution" in rows or abs(page.total - total) > 1:
            wrong[f"{filters} {order} {page.total}"] = rows
    assert not wrong, "\n".join(f"{asked}\n{plan}" for asked, plan in wrong.items())
    whole = str(Execution.objects.filter(organization=organization)[0].pk)
    with plans("workflows_execution") as found:
        listing.list_executions(caller, Filters(execution_id=whole))
    assert "workflows_execution_pkey" in found[0]


def test_a_program_reads_all_activities_part_by_part_in_either_order() -> None:
    execution: Execution = ExecutionFactory(activity_count=7)
    Activity.objects.bulk_create(
        Activity(execution=execution, number=number, type="generic", payload={"message": str(number)})
        for number in range(1, 8)
    )
    key = rest(member_of(execution.organization))
    path = f"executions/{execution.pk}/activities?limit=3&order="
    for order, expected in (("asc", list("1234567")), ("desc", list("7654321"))):
        said: list[str] = []
        after = ""
        while part := read(key.get(path + order + after)):
            said += [one["payload"]["message"] for one in part]
            after = f"&after={part[-1]['id']}"
        assert said == expected
    # An id of another execution's is no place in this one.
    other = Activity.objects.create(execution=ExecutionFactory(), number=1, type="generic")
    assert fault(key.get(f"{path}asc&after={other.pk}"))[0] == 404


def test_of_many_reruns_one_is_enough_to_say_that_there_are_any() -> None:
    execution: Execution = ExecutionFactory()
    for _ in range(3):
        ExecutionFactory(workflow=execution.workflow, parent=execution)
    found = list_executions(caller_for(member_of(execution.organization)), Filters(execution_id=str(execution.pk)))
    assert len(found.rows[0].reruns.all()) == 1
