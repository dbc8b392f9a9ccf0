"""Which remote servers an agent works with: a list to tick."""

import re
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.errors import Invalid
from accounts.page_caller import caller
from agents_hub.services import agent_servers as service
from agents_hub.services.agents import find_agent
from dashboard.frame import PAGE_SIZE, page_number

ID = re.compile(r"[1-9][0-9]{0,17}")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def servers_page(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """The organization's servers, those ticked that the agent works with. What the page did not show stays as it is."""
    who = caller(request)
    agent = find_agent(who, agent_id)
    refused = ""
    if request.method == "POST":
        shown, ticked = _ids(request, "shown"), _ids(request, "server")
        try:
            service.change_servers(who, agent_id=agent_id, add=ticked, remove=shown - ticked)
        except Invalid as error:
            refused = error.message
        else:
            messages.success(request, f"The servers of {agent.name} are saved.")
            return redirect("agents:agent", agent_id)
    page, assigned = service.page_of_servers(who, agent_id=agent_id, page=page_number(request), page_size=PAGE_SIZE)
    ticked_now = _ids(request, "server") if refused else assigned
    context = {"agent": agent, "page": page, "ticked": ticked_now, "refused": refused}
    return render(request, "agents_hub/agent_servers.html", context, status=422 if refused else 200)


def _ids(request: HttpRequest, name: str) -> set[int]:
    """The servers named in what was sent; what is no id of anything is passed over."""
    return {int(sent) for sent in request.POST.getlist(name) if ID.fullmatch(sent)}
