"""What is different between two versions of an agent."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.caller import Caller
from accounts.page_caller import caller
from agents_hub.services.agents import find_agent
from workflows.models import Workflow
from workflows.pages.addresses import id_in
from workflows.services import versions as service

# Those offered in a choice, beside the two that are compared; an address names any.
MOST_CHOICES = 200


@require_safe
@login_required
def compare(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """What was done to one version to make another: to the newest's parent, unless the address names two."""
    who = caller(request)
    agent = find_agent(who, agent_id)
    newest = service.page_of_versions(who, agent_id=agent_id, page=1, page_size=MOST_CHOICES).rows
    before, after = _named(who, agent_id, id_in(request, "before")), _named(who, agent_id, id_in(request, "after"))
    after = after or (newest[0] if newest else None)
    if before is None and after is not None:
        before = service.compared_with(after)
    offered = {version.pk: version for version in (*newest, *filter(None, (after, before)))}
    context = {"agent": agent, "versions": list(offered.values()), "before": before, "after": after}
    if before is not None and after is not None:
        context["difference"] = service.compare(who, agent_id=agent_id, before_id=before.pk, after_id=after.pk)
    return render(request, "workflows/compare.html", context)


def _named(who: Caller, agent_id: UUID, workflow_id: UUID | None) -> Workflow | None:
    if workflow_id is None:
        return None
    return service.find_version(who, workflow_id=workflow_id, agent_id=agent_id, with_content=False)
