"""Who may talk to an agent: its stage, its audience, and the organization's people to choose from."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from agents_hub.models import Audience, Stage
from agents_hub.pages.agent_frame import edit_page
from agents_hub.pages.sent import sent_numbers
from agents_hub.services import audiences as service
from agents_hub.services.agent_rules import is_in_charge
from agents_hub.services.agents import find_agent
from dashboard.frame import PAGE_SIZE, page_number


class AudienceForm(forms.Form):
    stage = forms.ChoiceField(
        choices=Stage.choices,
        widget=forms.RadioSelect,
        help_text="While in development, its creator and admins can talk to it and any member can change it. Once "
        "released, the people chosen below can talk to it, and only its creator and admins can change it.",
    )
    audience = forms.ChoiceField(label="Once released, for", choices=Audience.choices, widget=forms.RadioSelect)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def audience_page(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """Stage and audience, and the people on this page of members; those it does not show stay as they are."""
    who = caller(request)
    agent = find_agent(who, agent_id)
    is_sent = request.method == "POST"
    form = AudienceForm(request.POST if is_sent else None, initial={"stage": agent.stage, "audience": agent.audience})
    shown, ticked = sent_numbers(request, "shown"), sent_numbers(request, "person")
    if form.is_valid():
        try:
            service.set_audience(who, agent_id=agent_id, **form.cleaned_data, add=ticked, remove=shown - ticked)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"Saved who may talk to {agent.name}.")
            return redirect("agents:agent", agent_id)
    page, chosen = service.page_of_members(who, agent_id=agent_id, page=page_number(request), page_size=PAGE_SIZE)
    context = {
        "form": form,
        "page": page,
        "ticked": ticked if form.errors else chosen,
        "is_in_charge": is_in_charge(who, agent),
    }
    status = 422 if form.errors else 200
    return edit_page(request, "agents_hub/agent_audience.html", agent, context, tab="audience", status=status)
