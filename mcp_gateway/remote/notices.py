"""Telling people, once and by mail, that a connection of theirs has ended and only they can make it again."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db.models.functions import Now
from django.template.loader import render_to_string

from mcp_gateway.models import RemoteConnection

logger = logging.getLogger(__name__)

BATCH = 200


def tell_owners() -> int:
    """Mail the owners of ended connections who were not told yet; how many mails went out.

    Each connection is claimed before its mail is sent and given back where it could not be, so that nobody is told
    twice. A process that dies in between leaves one untold; its card says the same.
    """
    # The plan: an index scan on remote_connection_untold.
    untold = RemoteConnection.objects.filter(
        status=RemoteConnection.Status.ERROR, refresh_due_at=None, owner_told_at=None
    )
    waiting = untold.select_related("user", "server").defer("provider", "access_token", "refresh_token").order_by("id")
    return sum(_tell(row) for row in waiting[:BATCH] if untold.filter(pk=row.pk).update(owner_told_at=Now()))


def _tell(row: RemoteConnection) -> bool:
    if not row.user.is_active:
        return False
    link = f"{settings.PUBLIC_URL}/dashboard/integrations"
    body = render_to_string("mcp_gateway/remote/mail/ended.txt", {"connection": row, "link": link})
    # A name with a line break would be a header of its own.
    name = " ".join(row.server.name.split())
    try:
        send_mail(f"Connect to {name} again", body, None, [row.user.email])
    except (SMTPException, OSError):
        logger.exception("The owner of connection %s could not be told; it is tried again.", row.pk)
        RemoteConnection.objects.filter(pk=row.pk, generation=row.generation).update(owner_told_at=None)
        return False
    return True
