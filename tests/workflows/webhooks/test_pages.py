"""Control Hub > Webhooks: what admins do there, what members do not see, and that a secret comes out once."""

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.caller import Caller
from accounts.models import Role
from agents_hub.models import Agent
from security.models import AuditEntry
from tests.agents_hub.factories import AgentFactory
from tests.factories import MembershipFactory, caller_for
from tests.fakes.webhook_receiver import Receiver, Reply
from tests.pages import signed_in
from tests.query_plans import plans
from tests.workflows.webhooks.conftest import ended
from workflows import tasks
from workflows.models import WebhookDelivery, WebhookEndpoint
from workflows.services import webhooks
from workflows.services.webhooks import WithSecret
from workflows.webhooks import claims
from workflows.webhooks.sending import send_due

LIST = "/dashboard/webhooks/"


def token_in(page: str) -> str:
    return page.split('name="token" value="')[1].split('"')[0]


def page_of(hook: WithSecret) -> str:
    return f"{LIST}{hook.endpoint.pk}/"


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often a worker was asked to send what is due."""
    asked: list[int] = []
    monkeypatch.setattr(tasks, "nudge_webhooks", lambda: asked.append(1))
    return asked


def test_an_endpoint_is_added_and_its_secret_shown_once(admin: Caller, agent: Agent, receiver: Receiver) -> None:
    client = signed_in(admin)
    assert "No webhooks yet" in client.get(LIST).text
    sent = {"url": receiver.url, "statuses": ["failed"], "every_agent": "on", "enabled": "on"}
    sent["token"] = token_in(client.get(f"{LIST}new").text)
    answer = client.post(f"{LIST}new", sent)
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.secret.startswith("whsec_")
    assert endpoint.secret in answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    again = client.post(f"{LIST}new", sent, follow=True).text
    assert "was sent already" in again
    assert WebhookEndpoint.objects.count() == 1
    for address in (LIST, f"{LIST}{endpoint.pk}/", f"{LIST}{endpoint.pk}/edit", f"{LIST}{endpoint.pk}/rotate"):
        assert endpoint.secret not in client.get(address).text
    assert (endpoint.statuses, endpoint.every_agent, endpoint.enabled) == (["failed"], True, True)


def test_the_secret_is_sealed_in_the_database(hook: WithSecret) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM workflows_webhookendpoint")
        stored = bytes(cursor.fetchone()[0])
    assert hook.secret.encode() not in stored
    assert hook.secret not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/hooks", "http://example.com/hooks", "https://169.254.169.254/latest", "ftp://a.example"]
)
def test_an_address_that_the_guard_refuses_is_not_saved(
    admin: Caller, agent: Agent, settings: Settings, url: str
) -> None:
    settings.OUTBOUND_ALLOW_LOCAL = False
    client = signed_in(admin)
    sent = {"url": url, "statuses": ["failed"], "every_agent": "on", "token": token_in(client.get(f"{LIST}new").text)}
    answer = client.post(f"{LIST}new", sent)
    assert answer.status_code == 422
    assert "id_url_error" in answer.text
    assert not WebhookEndpoint.objects.exists()


def test_an_edit_cannot_lead_an_endpoint_inside_either(
    admin: Caller, agent: Agent, hook: WithSecret, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW_LOCAL = False
    sent = {"url": "https://192.168.0.1/", "statuses": ["failed"], "every_agent": "on", "enabled": "on"}
    assert signed_in(admin).post(f"{page_of(hook)}edit", sent).status_code == 422
    assert WebhookEndpoint.objects.get().url == hook.endpoint.url


def test_an_endpoint_that_was_switched_off_starts_anew_once_it_is_enabled(
    admin: Caller, agent: Agent, hook: WithSecret
) -> None:
    WebhookEndpoint.objects.update(enabled=False, fault="Nothing was taken for 5 days.", failing_since=timezone.now())
    client = signed_in(admin)
    assert "It was switched off" in client.get(page_of(hook)).text
    sent = {"url": hook.endpoint.url, "statuses": ["failed"], "agents": [str(agent.pk)], "enabled": "on"}
    assert "is saved" in client.post(f"{page_of(hook)}edit", sent, follow=True).text
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.enabled, endpoint.fault, endpoint.failing_since) == (True, "", None)
    assert (endpoint.every_agent, list(endpoint.agents.all())) == (False, [agent])
    assert endpoint.secret == hook.secret


def test_nothing_chosen_is_said_under_its_field(admin: Caller, agent: Agent, hook: WithSecret) -> None:
    answer = signed_in(admin).post(f"{page_of(hook)}edit", {"url": hook.endpoint.url, "enabled": "on"})
    assert "Choose at least one way in which executions end." in answer.text
    sent = {"url": hook.endpoint.url, "statuses": ["failed"], "enabled": "on"}
    answer = signed_in(admin).post(f"{page_of(hook)}edit", sent)
    assert "Choose at least one agent, or every agent." in answer.text.split('id="id_agents_error"')[1]


def test_a_rotated_secret_is_another_and_the_old_one_counts_for_a_day(admin: Caller, hook: WithSecret) -> None:
    client = signed_in(admin)
    token = token_in(client.get(f"{page_of(hook)}rotate").text)
    answer = client.post(f"{page_of(hook)}rotate", {"token": token})
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.secret in answer.text
    assert endpoint.secret != endpoint.old_secret == hook.secret
    assert "the one before stays valid until" in client.get(page_of(hook)).text


def test_a_test_event_is_sent_once_and_its_failure_counts_for_nothing(
    admin: Caller,
    hook: WithSecret,
    receiver: Receiver,
    nudged: list[int],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    receiver.replies = [Reply(500)]
    client = signed_in(admin)
    with django_capture_on_commit_callbacks(execute=True):
        assert "on its way" in client.post(f"{page_of(hook)}test", follow=True).text
    assert nudged
    send_due()
    event = receiver.seen[0].verified(hook.secret)
    assert (event["type"], event["data"]["endpointId"]) == ("webhook.test", str(hook.endpoint.pk))
    assert WebhookDelivery.objects.get().state == "given_up"
    assert WebhookEndpoint.objects.get().failing_since is None
    page = client.get(page_of(hook)).text
    assert "The receiver answered 500 Internal Server Error." in page


def test_what_was_given_up_is_sent_again_under_the_same_id(
    admin: Caller, agent: Agent, hook: WithSecret, receiver: Receiver
) -> None:
    ended(agent)
    WebhookDelivery.objects.update(state="given_up", due_at=None, attempts=8, attempts_in_a_row=8)
    delivery = WebhookDelivery.objects.get()
    client = signed_in(admin)
    assert "sent again" in client.post(f"{page_of(hook)}deliveries/{delivery.pk}/send", follow=True).text
    send_due()
    assert receiver.seen[0].message_id == delivery.webhook_id
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.attempts_in_a_row) == ("delivered", 9, 1)


def test_what_is_under_way_is_not_sent_twice(admin: Caller, agent: Agent, hook: WithSecret) -> None:
    ended(agent)
    [delivery] = claims.claim()
    answer = signed_in(admin).post(f"{page_of(hook)}deliveries/{delivery.pk}/send", follow=True)
    assert "being sent at this moment" in answer.text
    assert WebhookDelivery.objects.get().attempts_in_a_row == 1


def test_nothing_is_sent_by_hand_to_a_disabled_endpoint(admin: Caller, hook: WithSecret) -> None:
    WebhookEndpoint.objects.update(enabled=False)
    assert "Enable it first" in signed_in(admin).post(f"{page_of(hook)}test", follow=True).text
    assert not WebhookDelivery.objects.exists()


def test_a_deleted_endpoint_takes_its_deliveries_along(
    admin: Caller, agent: Agent, hook: WithSecret, receiver: Receiver
) -> None:
    ended(agent)
    client = signed_in(admin)
    assert "those that wait are not sent" in client.get(f"{page_of(hook)}delete").text
    client.post(f"{page_of(hook)}delete")
    assert not WebhookDelivery.objects.exists()
    send_due()
    assert not receiver.seen


def test_members_see_no_endpoint_and_strangers_find_none(agent: Agent, hook: WithSecret) -> None:
    member = caller_for(MembershipFactory(organization=agent.organization).user)
    stranger = caller_for(MembershipFactory(role=Role.ADMIN).user)
    for person, status in ((member, 403), (stranger, 404)):
        client = signed_in(person)
        assert hook.endpoint.url not in client.get(LIST).text
        for what in ("", "edit", "rotate", "delete"):
            answer = client.get(page_of(hook) + what)
            assert answer.status_code == status
            assert hook.endpoint.url not in answer.text
        for what in ("edit", "rotate", "delete", "test", "deliveries/1/send"):
            assert client.post(page_of(hook) + what).status_code == status
    assert WebhookEndpoint.objects.get().secret == hook.secret
    assert signed_in(member).get(f"{LIST}new").status_code == 403


def test_a_delivery_of_another_endpoint_is_not_found(admin: Caller, agent: Agent, hook: WithSecret) -> None:
    other = AgentFactory()
    person = caller_for(MembershipFactory(organization=other.organization, role=Role.ADMIN).user)
    theirs = webhooks.create_endpoint(
        person, organization_id=other.organization.uid, given=webhooks.EndpointFields(url=hook.endpoint.url)
    )
    ended(other)
    delivery = WebhookDelivery.objects.get(endpoint=theirs.endpoint)
    answer = signed_in(admin).post(f"{page_of(hook)}deliveries/{delivery.pk}/send")
    assert answer.status_code == 404


def test_the_log_is_read_by_an_index_and_in_few_queries(admin: Caller, agent: Agent, hook: WithSecret) -> None:
    for _ in range(30):
        ended(agent)
    client = signed_in(admin)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    with plans("workflows_webhookdelivery") as found:
        page = client.get(page_of(hook)).text
    assert page.count("Send again</button>") == 25
    assert len(found) == 1
    assert "webhook_delivery_log" in found[0]


def test_what_is_done_with_endpoints_is_in_the_audit(admin: Caller, agent: Agent, hook: WithSecret) -> None:
    webhooks.rotate_secret(admin, endpoint_id=hook.endpoint.pk)
    webhooks.send_test(admin, endpoint_id=hook.endpoint.pk)
    webhooks.delete_endpoint(admin, endpoint_id=hook.endpoint.pk)
    actions = AuditEntry.objects.filter(target=f"webhook:{hook.endpoint.pk}").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "webhook.create",
        "webhook.rotate",
        "webhook.test",
        "webhook.delete",
    ]


def test_an_organization_has_a_bounded_number_of_endpoints(
    admin: Caller, agent: Agent, hook: WithSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MOST_ENDPOINTS", 1)
    client = signed_in(admin)
    sent = {"url": hook.endpoint.url, "statuses": ["failed"], "every_agent": "on"}
    sent["token"] = token_in(client.get(f"{LIST}new").text)
    assert "at most 1 webhooks" in client.post(f"{LIST}new", sent).text
