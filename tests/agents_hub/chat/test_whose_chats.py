"""The chat's pages show a person their own conversations, and nobody else's."""

import pytest
from django.test import Client

from accounts.models import Membership, Role
from agents_hub.models import (
    Agent,
    Audience,
    Conversation,
    Inquiry,
    Stage,
    ToolUse,
    Turn,
    TurnStatus,
)
from security.models import AuditEntry
from tests.agents_hub.chat.seeing import asked, shown, url
from tests.agents_hub.chat.talks import Talk
from tests.agents_hub.factories import member_of
from tests.factories import MembershipFactory, caller_for
from tests.fakes.model_provider import ModelProvider
from tests.pages import signed_in

pytestmark = pytest.mark.django_db


def doors(talk: Talk, turn: Turn, use: ToolUse, inquiry: Inquiry) -> list[tuple[str, str, dict[str, str]]]:
    conversation, answer = talk.conversation.pk, str(turn.answer_id)
    said = str(turn.answer.before_id)
    return [
        ("get", url("conversation", conversation), {}),
        ("get", url("news", conversation), {}),
        ("get", url("stream", turn.pk), {}),
        ("get", url("result", use.pk, 1), {}),
        ("get", url("export", conversation, "md"), {}),
        ("get", url("export", conversation, "json"), {}),
        ("post", url("remove-file", conversation), {"attachment": answer}),
        ("get", url("rename", conversation), {}),
        ("get", url("delete", conversation), {}),
        ("post", url("say", conversation), {"text": "Mine now"}),
        ("post", url("edit", conversation), {"message": said, "text": "Mine now"}),
        ("post", url("again", conversation), {"message": answer}),
        ("post", url("branch", conversation), {"message": said}),
        ("post", url("reply", conversation), {"answer": f"{inquiry.pk}:once"}),
        ("post", url("connect", conversation, 1), {"text": "Mine now"}),
        ("post", url("rename", conversation), {"title": "Mine now"}),
        ("post", url("pin", conversation), {"pinned": "1"}),
        ("post", url("delete", conversation), {}),
        ("post", url("retry", turn.pk), {}),
        ("post", url("stop", turn.pk), {}),
    ]


@pytest.fixture
def private(talk: Talk) -> list[tuple[str, str, dict[str, str]]]:
    """Every way to a conversation in which something was said, a tool was called and something is asked."""
    turn = talk.say("A secret")
    inquiry = asked(turn, Inquiry.Kind.PERMISSION)
    ToolUse.objects.update(result={"content": [{"type": "text", "text": "a secret"}]})
    return doors(talk, turn, inquiry.tool_use, inquiry)


def test_nobody_else_reaches_a_conversation_by_any_way(
    talk: Talk, private: list[tuple[str, str, dict[str, str]]]
) -> None:
    others = [
        member_of(talk.agent.organization),
        MembershipFactory(organization=talk.agent.organization, role=Role.ADMIN).user,
        MembershipFactory().user,
    ]
    for other in others:
        browser = signed_in(other)
        for method, address, sent in private:
            answer = getattr(browser, method)(address, sent)
            assert answer.status_code == 404, address
            assert "secret" not in answer.content.decode()
    assert Conversation.objects.get().title == "A secret"
    assert Turn.objects.count() == 1
    assert not Inquiry.objects.exclude(answered_at=None).exists()


def test_who_left_the_organization_reaches_their_own_no_more(
    browser: Client, talk: Talk, private: list[tuple[str, str, dict[str, str]]]
) -> None:
    Membership.objects.filter(user_id=talk.caller.user_id).delete()
    for method, address, sent in private:
        assert getattr(browser, method)(address, sent).status_code == 404, address


def test_one_thing_of_ones_own_opens_nothing_of_somebody_elses(browser: Client, talk: Talk) -> None:
    """The conversation in the address is one's own, what is named in it is not."""
    turn = talk.say()
    other = Talk.begin(caller_for(member_of(talk.agent.organization)), talk.agent)
    theirs = other.say("A secret")
    inquiry = asked(theirs, Inquiry.Kind.PERMISSION)
    Turn.objects.filter(pk=theirs.pk).update(status=TurnStatus.IN_PROGRESS, ended_at=None)
    own = talk.conversation.pk
    for name, sent in (
        ("edit", {"message": theirs.answer.before_id, "text": "Mine"}),
        ("again", {"message": theirs.answer_id}),
        ("branch", {"message": theirs.answer_id}),
        ("reply", {"answer": f"{inquiry.pk}:once"}),
        ("reply", {"answer": "nonsense"}),
    ):
        assert browser.post(url(name, own), sent).status_code == 404, name
    talk.conversation.refresh_from_db()
    assert talk.conversation.tip_id == turn.answer_id


def test_an_agent_in_development_is_not_there_for_others(talk: Talk) -> None:
    Agent.objects.update(stage=Stage.DEVELOPMENT)
    member = signed_in(member_of(talk.agent.organization))
    assert member.get(url("begin", talk.agent.pk)).status_code == 404
    assert member.post(url("begin", talk.agent.pk), {"text": "Hello"}).status_code == 404
    assert talk.agent.name not in member.get(url("new")).content.decode()


def test_who_may_no_longer_talk_to_the_agent_reads_what_was_said_and_adds_nothing(browser: Client, talk: Talk) -> None:
    talk.say("Hello?")
    Agent.objects.update(audience=Audience.ADMINS)
    page = shown(browser, talk)
    assert "Hello there." in page
    assert "You may no longer talk to" in page
    assert 'id="composer"' not in page
    assert browser.post(url("say", talk.conversation.pk), {"text": "Still?"}).status_code == 422
    assert Turn.objects.count() == 1


@pytest.fixture
def answered(talk: Talk, model: ModelProvider) -> Turn:
    return talk.say("Use the key sk-live-0123456789abcdefghij to sign in.")


def test_an_admin_reads_the_record_of_an_answer_without_secrets_and_it_is_noted(talk: Talk, answered: Turn) -> None:
    admin = MembershipFactory(organization=talk.agent.organization, role=Role.ADMIN).user
    page = signed_in(admin).get(url("record", answered.pk)).content.decode()
    assert "You are Helper." in page
    assert "gpt-5" in page
    assert "sk-live-0123456789abcdefghij" not in page
    entry = AuditEntry.objects.get(action="chat.record_read")
    assert (entry.user_id, entry.target) == (admin.pk, f"turn:{answered.pk}")
    assert entry.detail["owner"] == talk.caller.user_id


def test_a_record_is_for_admins_of_its_organization_alone(browser: Client, talk: Talk, answered: Turn) -> None:
    """Not even for whoever asked: what an agent was told is its makers' affair."""
    elsewhere = MembershipFactory(role=Role.ADMIN).user
    left = MembershipFactory(organization=talk.agent.organization, role=Role.ADMIN).user
    Membership.objects.filter(user=left).delete()
    assert browser.get(url("record", answered.pk)).status_code == 403
    assert signed_in(elsewhere).get(url("record", answered.pk)).status_code == 404
    assert signed_in(left).get(url("record", answered.pk)).status_code == 404
    assert not AuditEntry.objects.filter(action="chat.record_read").exists()
