"""The channels of notices about turns; the payload is the turn's id, or `ANY`. A lost notice is made up for."""

from uuid import UUID

from dashboard.streams import notices

# A turn waits to be carried out; somebody wants something of one (a stop, or an answer given); there are new events.
WAITING = "agents_hub_turn_waiting"
WISHES = "agents_hub_turn_wishes"
EVENTS = "agents_hub_turn_events"
# The payload of notices that are for whoever takes turns up.
ANY = "any"


def notify(channel: str, turn_id: UUID | None = None) -> None:
    """Sent when the transaction commits."""
    notices.notify(channel, ANY if turn_id is None else str(turn_id))
