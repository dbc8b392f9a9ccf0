"""Storing a ticket's transcript; what the page looks like stands in `transcript_page`."""

import hashlib

from django.db import transaction
from django.utils import timezone

from bots.models import Ticket, TicketMessage, Transcript
from bots.services import transcript_page

# A page of more would be too large for any reader, a model or a person; the newest are kept and the page says so.
MOST_MESSAGES = 5_000


def store(ticket: Ticket) -> Transcript:
    """Render the ticket as it stands and keep the page in place of an older one."""
    with transaction.atomic():
        # The revision and the messages have to belong together, whatever is being recorded at this moment.
        revision = Ticket.objects.select_for_update().values_list("transcript_revision", flat=True).get(pk=ticket.pk)
        newest = TicketMessage.objects.filter(ticket=ticket).order_by("-message_id")[:MOST_MESSAGES]
        messages = list(newest)[::-1]
        html = transcript_page.render(ticket, messages, omitted=max(0, ticket.message_count - len(messages)))
        encoded = html.encode()
        transcript, _ = Transcript.objects.update_or_create(
            ticket=ticket,
            defaults={
                "revision": revision,
                "html": html,
                "bytes": len(encoded),
                "sha256": hashlib.sha256(encoded).hexdigest(),
                "messages": len(messages),
                "generated_at": timezone.now(),
            },
        )
    return transcript
