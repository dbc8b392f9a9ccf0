"""What an agent is: its name, what it is told, which model answers."""

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
from agents_hub.models import Agent
from agents_hub.models.agents import MOST_TOOL_ROUNDS
from agents_hub.pages.agent_frame import edit_page
from agents_hub.pages.agents import NewAgentForm
from agents_hub.services import agents as service
from agents_hub.services.agent_rules import (
    CHAT_FIELDS,
    LONGEST_INSTRUCTIONS,
    LONGEST_STARTER,
    MOST_STARTERS,
    ChatFields,
)
from llm.services.choosing import suggested_models

# Ids of the lists that inputs suggest from.
MODELS = "models"


class AgentForm(NewAgentForm):
    instructions = forms.CharField(
        max_length=LONGEST_INSTRUCTIONS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text="Who it is and how it answers. People who talk to it do not see this.",
    )
    model = forms.CharField(
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"list": MODELS, "autocomplete": "off", "spellcheck": "false"}),
        help_text="provider:model, as in openai:gpt-5. Empty takes the organization's default.",
    )
    temperature = forms.FloatField(
        required=False,
        min_value=0,
        max_value=2,
        widget=forms.NumberInput(attrs={"step": "0.1"}),
        help_text="0 is the most consistent, 2 the most varied. Empty leaves it to the provider.",
    )
    max_tool_rounds = forms.IntegerField(
        label="Most rounds of tool calls",
        min_value=1,
        max_value=MOST_TOOL_ROUNDS,
        help_text="How many rounds of tool calls one answer may take.",
    )
    conversation_starters = forms.CharField(
        required=False,
        max_length=MOST_STARTERS * (LONGEST_STARTER + 2),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"Questions to begin with, one on each line: at most {MOST_STARTERS}.",
    )

    def chat(self) -> ChatFields:
        given = {name: self.cleaned_data[name] for name in CHAT_FIELDS}
        return ChatFields(**given | {"conversation_starters": given["conversation_starters"].splitlines()})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    who = caller(request)
    agent = service.find_agent(who, agent_id)
    form = AgentForm(request.POST if request.method == "POST" else None, initial=_shown(agent))
    if form.is_valid():
        names = {name: form.cleaned_data[name] for name in ("name", "description")}
        try:
            saved = service.update_agent(who, agent_id=agent_id, **names, chat=form.chat())
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("agents:agent", agent_id)
    context = {"form": form, "models": suggested_models(agent.organization_id), "models_id": MODELS}
    status = 422 if form.errors else 200
    return edit_page(request, "agents_hub/agent_edit.html", agent, context, tab="edit", status=status)


def _shown(agent: Agent) -> dict[str, object]:
    shown = {name: getattr(agent, name) for name in AgentForm.base_fields}
    return shown | {"conversation_starters": "\n".join(agent.conversation_starters)}
