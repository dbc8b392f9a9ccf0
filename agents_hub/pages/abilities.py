"""What an agent was given beside remote servers, one page a source: what there is to tick, and the tools it brings."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import DomainError
from accounts.page_caller import caller
from agents_hub.pages.agent_frame import edit_page
from agents_hub.pages.sent import sent_words
from agents_hub.services import abilities as service
from agents_hub.services.agents import find_agent


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def abilities_page(request: HttpRequest, agent_id: UUID, source: str) -> HttpResponse:
    who = caller(request)
    agent = find_agent(who, agent_id)
    refused, shown, ticked = "", sent_words(request, "shown"), sent_words(request, "subject")
    if request.method == "POST":
        try:
            service.change_subjects(who, agent_id=agent_id, source=source, add=ticked, remove=shown - ticked)
        except DomainError as error:
            refused = error.message
        else:
            messages.success(request, f"Saved what {agent.name} works with.")
            return redirect("agents:abilities", agent_id, source)
    given = service.what_is_given(who, agent_id=agent_id, source=source)
    context = {"given": given, "ticked": ticked if refused else given.assigned, "refused": refused}
    status = 422 if refused else 200
    return edit_page(request, "agents_hub/agent_abilities.html", agent, context, tab=source, status=status)


@require_POST
@login_required
def switch_tools(request: HttpRequest, agent_id: UUID, source: str) -> HttpResponse:
    shown, ticked = sent_words(request, "shown"), sent_words(request, "tool")
    try:
        service.switch_tools(caller(request), agent_id=agent_id, origin=source, off=shown - ticked, on=ticked)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The tools are saved.")
    return redirect("agents:abilities", agent_id, source)
