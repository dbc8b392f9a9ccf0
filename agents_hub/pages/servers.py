"""Which remote servers an agent works with: a list to tick; and a server's tools, to be switched off singly."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError, Invalid
from accounts.page_caller import caller
from agents_hub.pages.agent_frame import edit_page
from agents_hub.pages.sent import sent_numbers, sent_words
from agents_hub.services import abilities
from agents_hub.services import agent_servers as service
from agents_hub.services.agents import find_agent
from dashboard.frame import PAGE_SIZE, page_number


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def servers_page(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """The organization's servers, those ticked that the agent works with. What the page did not show stays as it is."""
    who = caller(request)
    agent = find_agent(who, agent_id)
    refused = ""
    if request.method == "POST":
        shown, ticked = sent_numbers(request, "shown"), sent_numbers(request, "server")
        try:
            service.change_servers(who, agent_id=agent_id, add=ticked, remove=shown - ticked)
        except Invalid as error:
            refused = error.message
        else:
            messages.success(request, f"The servers of {agent.name} are saved.")
            return redirect("agents:servers", agent_id)
    page, assigned = service.page_of_servers(who, agent_id=agent_id, page=page_number(request), page_size=PAGE_SIZE)
    brought = abilities.tools_of_servers(agent)
    context = {
        "page": page,
        "ticked": sent_numbers(request, "server") if refused else assigned,
        "refused": refused,
        "brought": brought,
        "tool_count": abilities.tool_count(who, agent, brought),
        "direct": settings.CHAT_TOOLS_DIRECT,
    }
    status = 422 if refused else 200
    return edit_page(request, "agents_hub/agent_servers.html", agent, context, tab="servers", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def tools_page(request: HttpRequest, agent_id: UUID, server_id: int) -> HttpResponse:
    """The tools of a server that the agent works with. What the page did not show stays as it is."""
    who = caller(request)
    agent = find_agent(who, agent_id)
    if request.method == "POST":
        shown, ticked = sent_words(request, "shown"), sent_words(request, "tool")
        origin = abilities.origin_of(server_id)
        try:
            abilities.switch_tools(who, agent_id=agent_id, origin=origin, off=shown - ticked, on=ticked)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "The tools are saved.")
        return redirect(request.get_full_path())
    server, page, off = abilities.page_of_tools(
        who, agent_id=agent_id, server_id=server_id, page=page_number(request), page_size=PAGE_SIZE
    )
    context = {"server": server, "page": page, "off": off}
    return edit_page(request, "agents_hub/agent_server_tools.html", agent, context, tab="servers")
