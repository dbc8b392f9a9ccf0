"""Telling the admins of an organization, once and by mail, that the platform switched an endpoint of theirs off."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import Role
from workflows.models import WebhookEndpoint

logger = logging.getLogger(__name__)

BATCH = 200


def tell_admins() -> int:
    """Mail the admins of endpoints that were switched off; how many endpoints they were told of.

    Each is claimed before its mail is sent and given back where it could not be. A process that dies in between leaves
    one untold; its page says the same.
    """
    # The plan: an index scan on webhook_endpoint_untold.
    untold = WebhookEndpoint.objects.filter(enabled=False, admins_told_at=None).exclude(fault="")
    waiting = untold.select_related("organization").without_secrets().order_by("id")
    return sum(_tell(endpoint) for endpoint in waiting[:BATCH] if _claimed(endpoint))


def _claimed(endpoint: WebhookEndpoint) -> bool:
    untold = WebhookEndpoint.objects.filter(pk=endpoint.pk, enabled=False, admins_told_at=None).exclude(fault="")
    return bool(untold.update(admins_told_at=Now()))


def _tell(endpoint: WebhookEndpoint) -> bool:
    admins = endpoint.organization.memberships.filter(role=Role.ADMIN, user__is_active=True)
    link = settings.PUBLIC_URL + reverse("workflows:webhook", args=[endpoint.pk])
    body = render_to_string("workflows/mail/webhook_disabled.txt", {"endpoint": endpoint, "link": link})
    try:
        for email in admins.order_by("user_id").values_list("user__email", flat=True):
            EmailMessage("A webhook was switched off", body, None, [email]).send()
    except (SMTPException, OSError):
        logger.exception("The admins of webhook %s could not be told; it is tried again.", endpoint.pk)
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(admins_told_at=None)
        return False
    return True
