"""What an agent is to those who talk to it: its fields, who may change them, and who may talk to it."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.caller import Caller
from accounts.errors import Conflict, Forbidden, Invalid, NotFound, ScopeMissing
from accounts.models import Membership, Role
from accounts.scopes import Scope
from agents_hub.models import Agent, AgentPerson, Audience, Stage
from agents_hub.services import abilities, agent_servers, agents, audiences
from agents_hub.services.agent_rules import ChatFields
from agents_hub.services.audiences import page_of_members, set_audience
from llm.models import Provider
from security.models import AuditEntry
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import MembershipFactory, RemoteServerFactory, UserFactory, caller_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    made: Agent = AgentFactory(name="Clerk")
    return made


@pytest.fixture
def member(agent: Agent) -> Caller:
    return caller_for(member_of(agent.organization))


@pytest.fixture
def admin(agent: Agent) -> Caller:
    return caller_for(MembershipFactory(organization=agent.organization, role=Role.ADMIN).user)


def update(caller: Caller, agent: Agent, **fields: Any) -> Agent:
    return agents.update_agent(
        caller, agent_id=agent.pk, name=agent.name, description=agent.description, chat=ChatFields(**fields)
    )


def provider(agent: Agent, name: str, **fields: Any) -> Provider:
    return Provider.objects.create(
        organization=agent.organization, name=name, kind="openai", default_model="gpt", **fields
    )


def test_all_that_an_agent_is_to_people_is_kept_and_what_changed_is_in_the_audit(agent: Agent, member: Caller) -> None:
    provider(agent, "openai")
    update(
        member,
        agent,
        instructions=" Answer shortly. ",
        model="openai:gpt-5",
        temperature=0.5,
        conversation_starters=["What  is open?", "", "  "],
        max_tool_rounds=7,
    )
    agent.refresh_from_db()
    assert (agent.instructions, agent.model, agent.temperature) == ("Answer shortly.", "openai:gpt-5", 0.5)
    assert (agent.conversation_starters, agent.max_tool_rounds) == (["What is open?"], 7)
    changed = AuditEntry.objects.get(action="agent.update").detail["changed"]
    assert changed == ["instructions", "model", "temperature", "conversation_starters", "max_tool_rounds"]


def test_a_change_of_the_name_leaves_the_chat_side_alone(agent: Agent, member: Caller) -> None:
    update(member, agent, instructions="Answer shortly.")
    agents.update_agent(member, agent_id=agent.pk, name="Registrar", description="")
    agent.refresh_from_db()
    assert (agent.name, agent.instructions) == ("Registrar", "Answer shortly.")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"max_tool_rounds": 0}, "max_tool_rounds"),
        ({"max_tool_rounds": 101}, "max_tool_rounds"),
        ({"conversation_starters": ["?"] * 7}, "conversation_starters"),
        ({"conversation_starters": ["x" * 201]}, "conversation_starters"),
        ({"instructions": "x" * 50_001}, "instructions"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_the_fields_name(
    agent: Agent, member: Caller, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        update(member, agent, **fields)
    assert refused.value.data["field"] == field


@pytest.mark.parametrize("model", ["", "scripted", "openai", "openai:gpt-5", " openai:gpt-5 ", "openai:a/b:c"])
def test_models_of_the_organizations_providers_are_taken(agent: Agent, member: Caller, model: str) -> None:
    provider(agent, "openai")
    update(member, agent, model=model)
    agent.refresh_from_db()
    assert agent.model == model.strip()


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("anthropic:opus", "no provider “anthropic”. Write provider:model, with one of: openai"),
        ("gpt-5", "no provider “gpt-5”"),
        ("closed:gpt", "“closed” is switched off"),
        ("openai:", "after the colon"),
        ("openai:two words", "after the colon"),
        ("theirs:gpt", "no provider “theirs”"),
    ],
)
def test_a_model_that_cannot_be_asked_is_refused_in_words(agent: Agent, member: Caller, model: str, told: str) -> None:
    provider(agent, "openai")
    provider(agent, "closed", enabled=False)
    provider(AgentFactory(), "theirs")
    with pytest.raises(Invalid, match=told) as refused:
        update(member, agent, model=model)
    assert refused.value.data["field"] == "model"


def test_without_any_provider_a_model_is_refused_and_the_default_is_not(agent: Agent, member: Caller) -> None:
    update(member, agent, model="")
    with pytest.raises(Invalid, match="no provider of models yet"):
        update(member, agent, model="openai:gpt-5")


def test_a_model_whose_provider_is_gone_does_not_hold_up_other_changes(agent: Agent, member: Caller) -> None:
    Agent.objects.filter(pk=agent.pk).update(model="gone:gpt")
    update(member, agent, model="gone:gpt", instructions="Answer shortly.")
    agent.refresh_from_db()
    assert agent.instructions == "Answer shortly."


def test_an_agent_can_be_made_with_its_chat_side(agent: Agent, member: Caller) -> None:
    made = agents.create_agent(
        member, organization_id=agent.organization.uid, name="Second", chat=ChatFields(instructions="Be kind.")
    )
    assert (made.instructions, made.stage, made.created_by_id) == ("Be kind.", Stage.DEVELOPMENT, member.user_id)
    with pytest.raises(Conflict):
        agents.create_agent(member, organization_id=agent.organization.uid, name="Second")


def test_with_a_key_that_only_reads_nothing_is_changed(agent: Agent) -> None:
    reader = caller_for(member_of(agent.organization), Scope.READ)
    with pytest.raises(ScopeMissing):
        update(reader, agent)
    with pytest.raises(ScopeMissing):
        set_audience(reader, agent_id=agent.pk, stage="released", audience="everybody")
    with pytest.raises(ScopeMissing):
        abilities.change_subjects(reader, agent_id=agent.pk, source="bots", add=[], remove=[])
    with pytest.raises(ScopeMissing):
        abilities.switch_tools(reader, agent_id=agent.pk, origin="bots", off=[], on=[])


def test_a_released_agent_is_changed_by_its_maker_and_admins_and_by_nobody_else(agent: Agent, admin: Caller) -> None:
    """It acts with the connections of those who talk to it: nobody else may turn it."""
    maker, other = (caller_for(member_of(agent.organization)) for _ in range(2))
    Agent.objects.filter(pk=agent.pk).update(created_by=maker.user_id)
    set_audience(maker, agent_id=agent.pk, stage="released", audience="everybody")
    server = RemoteServerFactory(organization=agent.organization)
    attempts: list[Callable[[Caller], object]] = [
        lambda who: update(who, agent, instructions="Send me everything."),
        lambda who: agent_servers.change_servers(who, agent_id=agent.pk, add=[server.pk], remove=[]),
        lambda who: abilities.change_subjects(who, agent_id=agent.pk, source="bots", add=[], remove=[]),
        lambda who: abilities.switch_tools(who, agent_id=agent.pk, origin="bots", off=[], on=[]),
        lambda who: set_audience(who, agent_id=agent.pk, stage="development", audience="everybody"),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt(other)
    with pytest.raises(Forbidden):
        agents.delete_agent(other, agent_id=agent.pk)
    agent.refresh_from_db()
    assert (agent.instructions, agent.stage) == ("", Stage.RELEASED)
    for attempt in attempts[:4]:
        attempt(maker)
        attempt(admin)


def test_an_agent_in_development_is_changed_by_any_member_and_released_by_none_but_those_in_charge(
    agent: Agent, member: Caller, admin: Caller
) -> None:
    update(member, agent, instructions="Answer shortly.")
    with pytest.raises(Forbidden, match="Only the creator of “Clerk” and admins of"):
        set_audience(member, agent_id=agent.pk, stage="released", audience="everybody")
    set_audience(admin, agent_id=agent.pk, stage="released", audience="admins")
    agent.refresh_from_db()
    assert (agent.stage, agent.audience) == (Stage.RELEASED, Audience.ADMINS)


def test_a_maker_who_left_is_in_charge_no_more(agent: Agent) -> None:
    maker = member_of(agent.organization)
    Agent.objects.filter(pk=agent.pk).update(created_by=maker)
    Membership.objects.filter(user=maker).delete()
    with pytest.raises(NotFound):
        set_audience(caller_for(maker), agent_id=agent.pk, stage="released", audience="everybody")


def test_chosen_people_may_talk_to_it_and_others_may_not(agent: Agent, admin: Caller) -> None:
    chosen, other = (member_of(agent.organization) for _ in range(2))
    set_audience(admin, agent_id=agent.pk, stage="released", audience="chosen", add=[chosen.pk])
    assert Agent.objects.to_talk_to(caller_for(chosen)).exists()
    assert not Agent.objects.to_talk_to(caller_for(other)).exists()
    set_audience(admin, agent_id=agent.pk, stage="released", audience="chosen", remove=[chosen.pk])
    assert not Agent.objects.to_talk_to(caller_for(chosen)).exists()
    details = AuditEntry.objects.filter(action="agent.audience").order_by("pk").values_list("detail", flat=True)
    assert [(one["added"], one["removed"]) for one in details] == [([chosen.pk], []), ([], [chosen.pk])]


def test_nobody_of_another_organization_is_chosen(agent: Agent, admin: Caller) -> None:
    stranger = UserFactory()
    colleague_elsewhere = MembershipFactory().user
    for person in (stranger, colleague_elsewhere):
        with pytest.raises(NotFound, match="no such member"):
            set_audience(admin, agent_id=agent.pk, stage="development", audience="chosen", add=[person.pk])
    assert not AgentPerson.objects.exists()


def test_more_people_than_can_be_chosen_are_refused(
    agent: Agent, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiences, "MOST_PEOPLE", 1)
    people = [member_of(agent.organization).pk for _ in range(2)]
    with pytest.raises(Invalid, match="At most 1"):
        set_audience(admin, agent_id=agent.pk, stage="development", audience="chosen", add=people)


@pytest.mark.parametrize("fields", [{"stage": "secret"}, {"audience": "the whole world"}])
def test_stages_and_audiences_there_are_not_are_refused(agent: Agent, admin: Caller, fields: dict[str, str]) -> None:
    asked: dict[str, Any] = {"stage": "released", "audience": "everybody"} | fields
    with pytest.raises(Invalid, match="is one of"):
        set_audience(admin, agent_id=agent.pk, **asked)


def test_another_organizations_agent_is_not_there(member: Caller) -> None:
    foreign = AgentFactory()
    with pytest.raises(NotFound):
        set_audience(member, agent_id=foreign.pk, stage="released", audience="everybody")
    with pytest.raises(NotFound):
        page_of_members(member, agent_id=foreign.pk)
    with pytest.raises(NotFound):
        update(member, foreign)
