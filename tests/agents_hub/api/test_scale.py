"""What lists cost: the same number of queries however many rows, and an index however many agents."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organization, User
from agents_hub.models import Agent, PoolMembership, ProfileCookie, ProfileCredential, ScheduledTask, Stage, TaskRun
from agents_hub.services import agents, scheduled_tasks
from mcp_gateway.models import RemoteCall
from mcp_gateway.rest.routes import APIS, Route
from tests.agents_hub.api.door import read, rest
from tests.agents_hub.factories import AgentFactory, ConversationFactory, ProfileFactory, ProfilePoolFactory, member_of
from tests.factories import OrganizationFactory, RemoteConnectionFactory, RemoteToolFactory, caller_for
from tests.query_plans import plans
from tests.workflows.factories import ExecutionFactory
from workflows.models import Comment, Label

pytestmark = pytest.mark.django_db
LISTS = [route for api in APIS for route in api if route.method == "GET" and "total" in route.tool.result.model_fields]
MANY = 100_000


def add_rows(organization: Organization, creator: User) -> dict[str, Any]:
    """One more of everything a list can show, in a pool and of a server that are there from the first on: their ids."""
    agent = AgentFactory(organization=organization, created_by=creator)
    execution = ExecutionFactory(workflow__agent=agent, runner=creator)
    Label.objects.get_or_create(organization=organization, name="Checked")[0].executions.add(execution)
    Comment.objects.create(execution=execution, user=creator, content="Seen.")
    profile = ProfileFactory(organization=organization)
    ProfileCredential.objects.create(profile=profile, name="LOGIN", value="secret")
    ProfileCookie.objects.create(profile=profile, name="c", key="c", value="v", domain="d.example")
    ProfilePoolFactory(organization=organization)
    pool = organization.profile_pools.earliest("created_at")
    PoolMembership.objects.create(pool=pool, profile=profile)
    RemoteConnectionFactory(user=creator, server__organization=organization)
    server = organization.remote_servers.earliest("pk")
    RemoteToolFactory(server=server)
    RemoteCall.objects.create(server=server, user=creator, tool="search", duration_ms=1, outcome="ok")
    Agent.objects.filter(pk=agent.pk).update(stage=Stage.RELEASED)
    ConversationFactory(agent=agent, owner=creator)
    member_of(organization)
    wanted = scheduled_tasks.Wanted("Task", "0 9 * * *", "UTC", "When is high tide?")
    scheduled_tasks.create_task(caller_for(creator), agent_id=agent.pk, wanted=wanted)
    scheduled = ScheduledTask.objects.earliest("created_at")
    TaskRun.objects.create(schedule=scheduled, due_at=timezone.now(), is_skipped=True)
    return {"poolId": pool.pk, "serverId": server.pk, "agentId": agent.pk, "scheduledTaskId": scheduled.pk}


def test_there_are_lists() -> None:
    assert {"agents", "agent-profiles", "agent-profile-pools", "executions", "servers"} <= {
        route.path for route in LISTS
    }


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.path)
def test_a_list_takes_no_more_queries_for_more_rows(organization: Organization, person: User, route: Route) -> None:
    key = rest(person, api=route.api)

    def ask() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            page = read(key.get(f"{route.path.format(**ids)}?pageSize=100"))
        return len(captured), len(page["items"])

    ids = add_rows(organization, person)
    ask()  # the key's first use in a minute is noted
    queries_for_one, one = ask()
    for _ in range(12):
        add_rows(organization, person)
    queries_for_many, many = ask()
    assert one
    assert many == one + 12
    assert queries_for_many == queries_for_one


def many_agents(organization: Organization) -> None:
    """100,000 agents in one organization and 20,000 in others, as a platform that has run for a while knows them."""
    others = [OrganizationFactory() for _ in range(4)]
    words = ["invoice", "harbour", "support", "research", "onboarding"]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO agents_hub_agent (id, organization_id, name, description, created_at, updated_at, instructions,
                                          model, conversation_starters, max_tool_rounds, stage, audience)
            SELECT gen_random_uuid(), CASE WHEN n <= %s THEN %s ELSE (%s::bigint[])[n %% 4 + 1] END,
                   (%s::text[])[n %% 5 + 1] || ' ' || md5(n::text), '', now() - n * interval '1 second', now(),
                   '', '', '[]', 20, 'development', 'everybody'
            FROM generate_series(1, %s) AS n
            """,
            [MANY, organization.pk, [other.pk for other in others], words, MANY + 20_000],
        )
        cursor.execute("VACUUM ANALYZE agents_hub_agent")


PAGES: list[tuple[dict[str, Any], str]] = [
    ({}, "agent_by_creation"),
    ({"sort_direction": "asc"}, "agent_by_creation"),
    ({"sort_field": "name"}, "agent_by_name"),
    ({"sort_field": "updated_at", "page": 40}, "agent_by_update"),
    ({"sort_field": "name", "sort_direction": "asc", "page": 40}, "agent_by_name"),
    ({"search_name": "e4da3b7fbb"}, "agent_by_part_of_name"),
    ({"search_name": "E4DA3B7FBB", "sort_field": "name"}, "agent_by_part_of_name"),
]


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_every_page_of_100_000_agents_comes_from_an_index() -> None:
    organization = OrganizationFactory()
    many_agents(organization)
    caller = caller_for(member_of(organization))
    wrong = {}
    for asked, index in PAGES:
        with plans("agents_hub_agent") as found:
            page = agents.list_agents(caller, organization_id=organization.uid, **asked)
        is_search = "search_name" in asked
        assert page.total == (1 if is_search else MANY)
        count, rows = found
        sorts = any(line.lstrip(" ->").startswith(("Sort", "Incremental Sort")) for line in rows.splitlines())
        # Counting all of an organization's agents reads them all, by index or not; counting what was searched need not.
        read_whole = "Seq Scan on agents_hub_agent" in (rows + count if is_search else rows)
        if index not in rows or read_whole or (sorts and not is_search):
            wrong[str(asked)] = f"{rows}\n{count}"
    assert not wrong, "\n".join(wrong.values())


@pytest.mark.parametrize("text", ["Straße", "ÅNGSTRÖM", "100% sure", "a_b", "日本語エージェント", "ab", "x"])
def test_searching_by_pieces_finds_what_comparing_finds(organization: Organization, text: str) -> None:
    for name in ("Straße 9", "ångström unit", "is 100% sure", "a_b c", "日本語エージェント", "cab", "xylophone", "axb"):
        AgentFactory(organization=organization, name=name)
    caller = caller_for(member_of(organization))
    compared = set(Agent.objects.filter(name__icontains=text).values_list("name", flat=True))
    assert compared
    assert {agent.name for agent in agents.list_agents(caller, search_name=text).rows} == compared
