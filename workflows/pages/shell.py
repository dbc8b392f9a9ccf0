"""What the shell shows of workflows: who waits for somebody and what ran last, on the home page; any by its id."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.urls import reverse

from accounts.caller import Caller
from accounts.models import User
from accounts.page_caller import caller
from agents_hub.models import Agent
from dashboard.jump import MOST_PER_SOURCE, Place
from dashboard.organizations import current_organization
from security.identifiers import uuid_or_none
from workflows.models import Execution
from workflows.pages.timeline import MEANINGS
from workflows.services import overview

MOST_TOLD = 5
# A part of an id, as lists show its end; and among how many of the newest executions it is looked for.
PART = re.compile(r"[0-9a-f-]{4,36}")
LOOKED_THROUGH = 2_000


def panel(request: HttpRequest) -> Mapping[str, Any]:
    """Those of the organization looked at; and whether there is an agent yet that could run anything."""
    organization = current_organization(request)
    if organization is None:
        return {}
    who, uid = caller(request), organization.uid
    # One more than is told says that there are more.
    waiting = overview.waiting_for_people(who, organization_id=uid, limit=MOST_TOLD + 1)
    return {
        "waiting": waiting[:MOST_TOLD],
        "are_more": len(waiting) > MOST_TOLD,
        "latest": overview.latest(who, organization_id=uid, limit=MOST_TOLD),
        "meanings": MEANINGS,
        "has_agents": Agent.objects.filter(organization=organization).exists(),
        "statuses": overview.WAITING,
    }


def places(person: User, words: str) -> Iterable[Place]:
    """The person's executions by their id, or by a part of it if they are not old."""
    part = words.strip().removeprefix("…").lower()
    if not PART.fullmatch(part):
        return
    own = Execution.objects.for_caller(Caller.system(person.pk)).select_related("agent").order_by("-id")
    whole = uuid_or_none(part)
    if whole is not None:
        found = own.filter(pk=whole)
    else:
        newest = own.values("pk")[:LOOKED_THROUGH]
        found = own.filter(pk__in=newest).annotate(written=Cast("id", TextField())).filter(written__contains=part)
    for row in found[:MOST_PER_SOURCE]:
        label = f"{row.agent.name} …{row.pk.hex[-6:]}"
        yield Place(label, reverse("workflows:execution", args=[row.pk]), row.get_status_display())
