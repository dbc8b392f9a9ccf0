"""Conversations: whose they are, what can be done with them, and the branches that editing makes."""

import pytest
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound, ScopeMissing
from accounts.models import Membership, Role
from accounts.scopes import Scope
from agents_hub.models import Agent, AgentPerson, Audience, Conversation, Message, Speaker, Stage, Turn, TurnStatus
from agents_hub.services import conversations, turns
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import MembershipFactory, caller_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def released() -> Agent:
    return AgentFactory(stage=Stage.RELEASED)


@pytest.fixture
def ada(released: Agent) -> Caller:
    return caller_for(member_of(released.organization))


@pytest.fixture
def bob(released: Agent) -> Caller:
    """Of the same organization."""
    return caller_for(member_of(released.organization))


def talked(caller: Caller, agent: Agent, *texts: str) -> Conversation:
    """A conversation in which these things were said, each answered in a word."""
    conversation = conversations.begin_conversation(caller, agent_id=agent.pk)
    for text in texts:
        answer(turns.begin(caller, conversation_id=conversation.pk, text=text))
    conversation.refresh_from_db()
    return conversation


def answer(turn: Turn, text: str = "Yes.") -> Turn:
    Message.objects.filter(pk=turn.answer_id).update(text=text)
    Turn.objects.filter(pk=turn.pk).update(status=TurnStatus.COMPLETED, ended_at=timezone.now())
    return turn


def shown(caller: Caller, conversation: Conversation) -> list[str]:
    found = conversations.find_conversation(caller, conversation.pk)
    return [placed.message.text for placed in conversations.branch_of(found)]


def test_a_conversation_is_named_for_what_was_said_first(ada: Caller, released: Agent) -> None:
    assert talked(ada, released, "\n  How tall is it?\nTell me.", "And wide?").title == "How tall is it?"


def test_nobody_else_sees_it_whoever_they_are(ada: Caller, bob: Caller, released: Agent) -> None:
    conversation = talked(ada, released, "A secret")
    admin = caller_for(MembershipFactory(organization=released.organization, role=Role.ADMIN).user)
    turn, message = conversation.turns.get(), conversation.messages.earliest("id")
    for other in (bob, admin):
        assert conversations.list_conversations(other).total == 0
        for act in (
            lambda who: conversations.find_conversation(who, conversation.pk),
            lambda who: conversations.rename_conversation(who, conversation_id=conversation.pk, title="Mine"),
            lambda who: conversations.pin_conversation(who, conversation_id=conversation.pk, pinned=True),
            lambda who: conversations.keep_draft(who, conversation_id=conversation.pk, draft="x"),
            lambda who: conversations.delete_conversation(who, conversation_id=conversation.pk),
            lambda who: conversations.show_branch(who, conversation_id=conversation.pk, message_id=message.pk),
            lambda who: turns.begin(who, conversation_id=conversation.pk, text="Hello"),
            lambda who: turns.edit(who, conversation_id=conversation.pk, message_id=message.pk, text="Hello"),
            lambda who: turns.find_turn(who, turn.pk),
            lambda who: turns.stop(who, turn_id=turn.pk),
            lambda who: turns.try_again(who, turn_id=turn.pk),
        ):
            with pytest.raises(NotFound):
                act(other)
    assert shown(ada, conversation) == ["A secret", "Yes."]


def test_a_person_who_left_the_organization_reaches_nothing_more(ada: Caller, released: Agent) -> None:
    conversation = talked(ada, released, "Hello")
    Membership.objects.filter(user=ada.user_id).delete()
    with pytest.raises(NotFound):
        conversations.find_conversation(ada, conversation.pk)
    with pytest.raises(NotFound):
        turns.begin(ada, conversation_id=conversation.pk, text="Still here?")


def test_a_key_that_reads_says_nothing(ada: Caller, released: Agent) -> None:
    conversation = talked(ada, released, "Hello")
    reader = Caller(ada.user_id, Scope.READ, ada.door)
    assert conversations.list_conversations(reader).total == 1
    with pytest.raises(ScopeMissing):
        turns.begin(reader, conversation_id=conversation.pk, text="Hello")


@pytest.mark.parametrize(
    ("stage", "audience", "who"),
    [
        (Stage.DEVELOPMENT, Audience.EVERYBODY, {"maker", "admin"}),
        (Stage.RELEASED, Audience.EVERYBODY, {"maker", "admin", "member", "chosen"}),
        (Stage.RELEASED, Audience.ADMINS, {"maker", "admin"}),
        (Stage.RELEASED, Audience.CHOSEN, {"maker", "admin", "chosen"}),
    ],
)
def test_an_agent_is_talked_to_by_its_audience(stage: Stage, audience: Audience, who: set[str]) -> None:
    agent = AgentFactory(stage=stage, audience=audience)
    people = {name: member_of(agent.organization) for name in ("maker", "member", "chosen")}
    people["admin"] = MembershipFactory(organization=agent.organization, role=Role.ADMIN).user
    people["stranger"] = MembershipFactory(role=Role.ADMIN).user
    agent.created_by = people["maker"]
    agent.save()
    AgentPerson.objects.create(agent=agent, user=people["chosen"])
    # Somebody chosen who has left, or was never there.
    AgentPerson.objects.create(agent=agent, user=people["stranger"])
    can = {
        name
        for name, person in people.items()
        if agent in conversations.list_agents_to_talk_to(caller_for(person)).rows
    }
    assert can == who


def test_an_agent_that_is_taken_back_answers_no_more(ada: Caller, released: Agent) -> None:
    conversation = talked(ada, released, "Hello")
    Agent.objects.filter(pk=released.pk).update(stage=Stage.DEVELOPMENT)
    with pytest.raises(NotFound, match="may not be released"):
        turns.begin(ada, conversation_id=conversation.pk, text="Hello")
    assert shown(ada, conversation) == ["Hello", "Yes."]


def test_editing_makes_a_branch_beside_and_both_can_be_shown(ada: Caller, released: Agent) -> None:
    conversation = talked(ada, released, "One", "Two")
    second = conversation.messages.get(text="Two")
    answer(turns.edit(ada, conversation_id=conversation.pk, message_id=second.pk, text="Other two"), "No.")
    assert shown(ada, conversation) == ["One", "Yes.", "Other two", "No."]
    placed = conversations.branch_of(conversations.find_conversation(ada, conversation.pk))
    assert [(each.place, len(each.others)) for each in placed] == [(1, 1), (1, 1), (2, 2), (1, 1)]
    assert placed[2].previous == second.pk
    assert placed[2].next is None
    conversations.show_branch(ada, conversation_id=conversation.pk, message_id=second.pk)
    assert shown(ada, conversation) == ["One", "Yes.", "Two", "Yes."]


def test_the_first_message_can_be_edited_too(ada: Caller, released: Agent) -> None:
    conversation = talked(ada, released, "One")
    first = conversation.messages.get(text="One")
    turns.edit(ada, conversation_id=conversation.pk, message_id=first.pk, text="Other one")
    assert shown(ada, conversation)[0] == "Other one"


def test_an_answer_can_be_given_again_beside_the_first(ada: Caller, released: Agent) -> None:
    conversation = talked(ada, released, "One")
    first = conversation.messages.get(speaker=Speaker.AGENT)
    answer(turns.answer_again(ada, conversation_id=conversation.pk, message_id=first.pk), "No.")
    assert shown(ada, conversation) == ["One", "No."]
    with pytest.raises(Invalid):
        turns.answer_again(ada, conversation_id=conversation.pk, message_id=conversation.messages.get(text="One").pk)


def test_an_agents_words_cannot_be_edited(ada: Caller, released: Agent) -> None:
    conversation = talked(ada, released, "One")
    answered = conversation.messages.get(speaker=Speaker.AGENT)
    with pytest.raises(Invalid, match="only your own messages"):
        turns.edit(ada, conversation_id=conversation.pk, message_id=answered.pk, text="No.")


def test_one_answer_at_a_time(ada: Caller, released: Agent) -> None:
    conversation = talked(ada, released)
    turn = turns.begin(ada, conversation_id=conversation.pk, text="Hello")
    with pytest.raises(Conflict, match="still answering"):
        turns.begin(ada, conversation_id=conversation.pk, text="Hello?")
    turns.stop(ada, turn_id=turn.pk)
    turns.begin(ada, conversation_id=conversation.pk, text="Hello?")


def test_a_message_of_another_conversation_is_no_place_to_go_on_from(ada: Caller, released: Agent) -> None:
    one, other = talked(ada, released, "One"), talked(ada, released, "Other")
    with pytest.raises(NotFound):
        turns.begin(ada, conversation_id=one.pk, text="Here", after=other.tip_id)


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 100_001])
def test_what_says_nothing_or_too_much_is_refused(ada: Caller, released: Agent, text: str) -> None:
    conversation = talked(ada, released)
    with pytest.raises(Invalid):
        turns.begin(ada, conversation_id=conversation.pk, text=text)
    assert not conversation.messages.exists()


def test_the_list_has_pinned_ones_first_then_the_latest(ada: Caller, released: Agent) -> None:
    first, second, third = (talked(ada, released, text) for text in ("First", "Second", "Third"))
    conversations.pin_conversation(ada, conversation_id=first.pk, pinned=True)
    answer(turns.begin(ada, conversation_id=second.pk, text="More"))
    rows = conversations.list_conversations(ada).rows
    assert [row.title for row in rows] == ["First", "Second", "Third"]
    assert third in rows


def test_a_conversation_is_found_by_part_of_its_title_and_by_words_that_were_said(ada: Caller, released: Agent) -> None:
    talked(ada, released, "Garden plans", "Which roses survive the winter?")
    talked(ada, released, "Holidays")

    def titles(search: str) -> list[str]:
        return [row.title for row in conversations.list_conversations(ada, search=search).rows]

    assert titles("arde") == ["Garden plans"]
    assert titles("winter roses") == ["Garden plans"]
    assert titles("winter holidays") == []


def test_deleting_takes_all_that_was_said(ada: Caller, released: Agent) -> None:
    conversation = talked(ada, released, "One", "Two")
    conversations.delete_conversation(ada, conversation_id=conversation.pk)
    assert not Message.objects.exists()
    assert not Turn.objects.exists()


def test_what_was_typed_is_kept_until_it_is_sent(ada: Caller, released: Agent) -> None:
    conversation = talked(ada, released)
    conversations.keep_draft(ada, conversation_id=conversation.pk, draft="Half a thou")
    assert conversations.find_conversation(ada, conversation.pk).draft == "Half a thou"
    turns.begin(ada, conversation_id=conversation.pk, text="Half a thought.")
    assert conversations.find_conversation(ada, conversation.pk).draft == ""
