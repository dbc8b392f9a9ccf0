"""What the home page says of an organization's executions."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from accounts.page_caller import caller
from dashboard.organizations import current_organization
from workflows.pages.timeline import MEANINGS
from workflows.services import overview

MOST_TOLD = 5


def panel(request: HttpRequest) -> Mapping[str, Any]:
    """Those that wait for somebody, and the latest."""
    organization = current_organization(request)
    if organization is None:
        return {}
    who, uid = caller(request), organization.uid
    # One more than is told says that there are more.
    waiting = overview.waiting_for_people(who, organization_id=uid, limit=MOST_TOLD + 1)
    return {
        "waiting": waiting[:MOST_TOLD],
        "more_wait": len(waiting) > MOST_TOLD,
        "latest": overview.latest(who, organization_id=uid, limit=MOST_TOLD),
        "meanings": MEANINGS,
    }
