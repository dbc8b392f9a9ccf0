"""What an organization's admins do with endpoints of webhooks: add, change, rotate, delete, and look at deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Forbidden, Invalid, NotFound, Throttled
from accounts.models import Organization
from accounts.scopes import Scope
from accounts.services.organizations import administered, is_admin, organization_of
from agents_hub.models import Agent
from security import audit, outbound
from security.throttle import Limit
from workflows.models import WebhookDelivery, WebhookEndpoint
from workflows.models.webhooks import ENDS, TEST
from workflows.webhooks import signing

MOST_ENDPOINTS = 20
MOST_AGENTS = 500
# How long the secret before the last signs beside the new one.
OVERLAP = timedelta(hours=24)
# Each is a request to an address that somebody chose.
PACE = Limit("webhook test or resend", 60, 60)


@dataclass(frozen=True, slots=True)
class EndpointFields:
    """All settings of an endpoint. `agent_ids` counts where not every agent is meant."""

    url: str
    description: str = ""
    statuses: Sequence[str] = tuple(value for value, _ in ENDS)
    every_agent: bool = True
    agent_ids: Sequence[UUID] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True, repr=False)
class WithSecret:
    """An endpoint and the secret it has from now on, in clear this once."""

    endpoint: WebhookEndpoint
    secret: str


def list_endpoints(caller: Caller, *, organization_id: UUID) -> Sequence[WebhookEndpoint]:
    """All of them, for there are few, oldest first."""
    caller.require(Scope.READ)
    organization = organization_of(caller, organization_id)
    _require_admin(caller, organization)
    endpoints = WebhookEndpoint.objects.filter(organization=organization).without_secrets()
    return list(endpoints.order_by("id")[:MOST_ENDPOINTS])


def find_endpoint(caller: Caller, endpoint_id: UUID) -> WebhookEndpoint:
    """The endpoint with its organization; for admins, since addresses and answers may tell more than members know."""
    caller.require(Scope.READ)
    endpoints = WebhookEndpoint.objects.for_caller(caller).select_related("organization", "created_by")
    endpoint = endpoints.without_secrets().filter(pk=endpoint_id).first()
    if endpoint is None:
        raise _not_found()
    _require_admin(caller, endpoint.organization)
    return endpoint


def create_endpoint(caller: Caller, *, organization_id: UUID, given: EndpointFields) -> WithSecret:
    organization = organization_of(caller, organization_id)
    url, secret = _checked_url(given.url), signing.new_secret()
    with transaction.atomic():
        row = WebhookEndpoint(organization=administered(caller, organization.pk), secret=secret)
        row.created_by_id = caller.user_id
        if WebhookEndpoint.objects.filter(organization=organization).count() >= MOST_ENDPOINTS:
            raise Conflict(f"An organization has at most {MOST_ENDPOINTS} webhooks. Delete one first.", code="too_many")
        _write(row, given, url)
        audit.record("webhook.create", caller=caller, target=target(row), detail=_settings(row))
    return WithSecret(row, secret)


def update_endpoint(caller: Caller, *, endpoint_id: UUID, given: EndpointFields) -> WebhookEndpoint:
    """Change the settings. What was switched off by the platform starts anew where it is enabled."""
    find_endpoint(caller, endpoint_id)
    url = _checked_url(given.url)
    with transaction.atomic():
        row = _locked(caller, endpoint_id)
        if given.enabled and not row.enabled:
            row.failing_since, row.fault, row.admins_told_at = None, "", None
        _write(row, given, url)
        audit.record("webhook.update", caller=caller, target=target(row), detail=_settings(row))
    _nudge()
    return row


def rotate_secret(caller: Caller, *, endpoint_id: UUID) -> WithSecret:
    """A new secret. The one before it signs beside it for a day; one before that no more."""
    secret = signing.new_secret()
    with transaction.atomic():
        row = _locked(caller, endpoint_id)
        row.old_secret, row.old_secret_until = row.secret, timezone.now() + OVERLAP
        row.secret = secret
        row.save(update_fields=["secret", "old_secret", "old_secret_until", "updated_at"])
        audit.record("webhook.rotate", caller=caller, target=target(row))
    return WithSecret(row, secret)


def delete_endpoint(caller: Caller, *, endpoint_id: UUID) -> None:
    """Delete the endpoint with its deliveries, those that wait too. Its row is held, so none is added meanwhile."""
    with transaction.atomic():
        row = _locked(caller, endpoint_id)
        audit.record("webhook.delete", caller=caller, target=target(row), detail=_settings(row))
        row.delete()


def list_deliveries(caller: Caller, *, endpoint_id: UUID) -> "QuerySet[WebhookDelivery]":
    """The endpoint's, for the door to page, newest first."""
    endpoint = find_endpoint(caller, endpoint_id)
    return WebhookDelivery.objects.filter(endpoint=endpoint)


def send_test(caller: Caller, *, endpoint_id: UUID) -> WebhookDelivery:
    """An event of type webhook.test, tried once."""
    endpoint = find_endpoint(caller, endpoint_id)
    caller.require(Scope.WRITE)
    _pace(caller)
    if not endpoint.enabled:
        raise _disabled()
    with transaction.atomic():
        delivery = WebhookDelivery.objects.create(endpoint=endpoint, event=TEST)
        audit.record("webhook.test", caller=caller, target=target(endpoint))
    _nudge()
    return delivery


def send_again(caller: Caller, *, endpoint_id: UUID, delivery_id: int) -> WebhookDelivery:
    """Try the delivery now, under the same webhook-id, with as many attempts as a new one has."""
    endpoint = find_endpoint(caller, endpoint_id)
    caller.require(Scope.WRITE)
    _pace(caller)
    if not endpoint.enabled:
        raise _disabled()
    with transaction.atomic():
        delivery = WebhookDelivery.objects.select_for_update().filter(endpoint=endpoint, pk=delivery_id).first()
        if delivery is None:
            raise NotFound("There is no such delivery of this webhook. It may have been deleted because of its age.")
        if delivery.lease_until is not None and delivery.lease_until > timezone.now():
            raise Conflict("It is being sent at this moment. Look again in a minute.", code="under_way")
        delivery.state, delivery.due_at, delivery.attempts_in_a_row = WebhookDelivery.State.WAITING, timezone.now(), 0
        delivery.save(update_fields=["state", "due_at", "attempts_in_a_row"])
        audit.record(
            "webhook.send_again", caller=caller, target=target(endpoint), detail={"delivery": delivery.webhook_id}
        )
    _nudge()
    return delivery


def target(endpoint: WebhookEndpoint) -> str:
    """How the audit names it."""
    return f"webhook:{endpoint.pk}"


def _locked(caller: Caller, endpoint_id: UUID) -> WebhookEndpoint:
    """The endpoint, it and its organization locked, where the caller is an admin; inside a transaction."""
    mine = WebhookEndpoint.objects.for_caller(caller).filter(pk=endpoint_id)
    organization_id = mine.values_list("organization_id", flat=True).first()
    if organization_id is None:
        raise _not_found()
    organization = administered(caller, organization_id)
    row = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id).first()
    if row is None:  # deleted while we waited for the organization
        raise _not_found()
    row.organization = organization
    return row


def _write(row: WebhookEndpoint, given: EndpointFields, url: str) -> None:
    """Write what was sent onto the row, which may be new, or raise `Invalid` with the field's name."""
    description = given.description.strip()
    if len(description) > 200:
        raise _fault("description", "The description is longer than 200 characters.")
    known = [value for value, _ in ENDS]
    if not given.statuses or set(given.statuses) - set(known):
        raise _fault("statuses", f"Choose one or more of {', '.join(known)}.")
    agents = [] if given.every_agent else _agents(row.organization, given.agent_ids)
    row.url, row.description = url, description
    row.statuses = [value for value in known if value in given.statuses]
    row.every_agent, row.enabled = given.every_agent, given.enabled
    row.save()
    row.agents.set(agents)


def _agents(organization: Organization, agent_ids: Sequence[UUID]) -> Sequence[Agent]:
    wanted = set(agent_ids)
    if not wanted:
        raise _fault("agents", "Choose at least one agent, or every agent.")
    if len(wanted) > MOST_AGENTS:
        raise _fault("agents", f"Choose at most {MOST_AGENTS} agents, or every agent.")
    found = list(Agent.objects.filter(organization=organization, pk__in=wanted))
    if len(found) < len(wanted):
        raise _fault("agents", "An agent that was chosen no longer exists. Choose again.")
    return found


def _checked_url(url: str) -> str:
    """The URL as it will be posted to. Its name is looked up, so not inside of a transaction."""
    try:
        return outbound.validate_url(url.strip(), resolve=True)
    except outbound.OutboundRefused as refused:
        raise _fault("url", str(refused)) from None


def _settings(row: WebhookEndpoint) -> dict[str, object]:
    """The settings for the audit."""
    return {
        "url": row.url.partition("?")[0],
        "statuses": row.statuses,
        "every_agent": row.every_agent,
        "agents": sorted(str(pk) for pk in row.agents.values_list("pk", flat=True)),
        "enabled": row.enabled,
    }


def _require_admin(caller: Caller, organization: Organization) -> None:
    if not is_admin(caller, organization.pk):
        raise Forbidden(f"Only an admin of {organization.name} sees its webhooks. Ask one of them.")


def _pace(caller: Caller) -> None:
    if wait := PACE.hit(str(caller.user_id)):
        raise Throttled(f"Too many events were sent by hand. Try again in {wait} seconds.", data={"retry_after": wait})


def _nudge() -> None:
    from workflows.tasks import nudge_webhooks

    transaction.on_commit(nudge_webhooks)


def _disabled() -> Conflict:
    return Conflict("The webhook is disabled, so nothing is sent to it. Enable it first.", code="disabled")


def _fault(field: str, message: str) -> Invalid:
    return Invalid(message, data={"field": field})


def _not_found() -> NotFound:
    return NotFound("There is no such webhook in your organizations. It may have been deleted.")
