"""The form of an endpoint of webhooks."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms

from agents_hub.models import Agent
from workflows.models import WebhookEndpoint
from workflows.models.webhooks import ENDS
from workflows.services.webhooks import EndpointFields


class EndpointForm(forms.Form):
    url = forms.CharField(
        label="URL",
        max_length=2048,
        help_text="Where events are posted to. Redirects are not followed.",
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://example.com/hooks/asterism"}),
        error_messages={"required": "Enter the URL that events are to be posted to."},
    )
    description = forms.CharField(required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    statuses = forms.MultipleChoiceField(
        label="Events",
        choices=ENDS,
        initial=[value for value, _ in ENDS],
        widget=forms.CheckboxSelectMultiple,
        help_text="Which endings are reported.",
        error_messages={"required": "Choose at least one way in which executions end."},
    )
    every_agent = forms.BooleanField(
        label="Every agent", required=False, initial=True, help_text="Also those added later."
    )
    agents = forms.TypedMultipleChoiceField(
        label="Only these agents",
        required=False,
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
        help_text="Used if “Every agent” is not ticked.",
    )
    enabled = forms.BooleanField(label="Enabled", required=False, initial=True)

    def __init__(self, data: Any = None, *, agents: Iterable[Agent], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        choices = [(str(agent.pk), agent.name) for agent in agents]
        if not choices:
            del self.fields["agents"]
            self.fields["every_agent"].help_text = "There are no agents yet; agents added later are included."
            return
        field = self.fields["agents"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = choices

    def given(self) -> EndpointFields:
        """As the service takes it; for a form that is valid."""
        sent = dict(self.cleaned_data)
        return EndpointFields(agent_ids=sent.pop("agents", []), **sent)


def settings_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """An endpoint's settings as the form shows them."""
    names = ("url", "description", "statuses", "every_agent", "enabled")
    shown = {name: getattr(endpoint, name) for name in names}
    return shown | {"agents": [str(pk) for pk in endpoint.agents.values_list("pk", flat=True)]}
