"""The forms of a provider and of a budget. A key goes in and never comes out."""

from dataclasses import fields
from typing import Any

from django import forms

from accounts.errors import DomainError
from dashboard.secret_field import SecretField
from llm.models import Kind, Provider
from llm.services.providers import ProviderFields

PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class RefusableForm(forms.Form):
    def show_refusal(self, error: DomainError) -> None:
        """Put a service's refusal under the field that it names, else above the form."""
        field = str(error.data.get("field", ""))
        self.add_error(field if field in self.fields else None, error.message)


class ProviderForm(RefusableForm):
    name = forms.CharField(
        label="Name",
        max_length=40,
        help_text="What stands before the colon where a model is named, such as <code>main</code> in "
        "<code>main:gpt-5</code>.",
        widget=forms.TextInput(attrs=PLAIN),
    )
    kind = forms.ChoiceField(label="Kind", choices=Kind.choices, initial=Kind.OPENAI)
    base_url = forms.CharField(
        label="Base URL",
        required=False,
        max_length=2000,
        help_text="For OpenAI-compatible servers, such as Ollama, vLLM or a gateway. Left empty, the provider's own.",
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://models.example.com/v1"}),
    )
    api_key = SecretField(label="API key", max_length=2000, help_text="Kept encrypted and not shown again.")
    default_model = forms.CharField(
        label="Default model",
        max_length=160,
        help_text="Asked where only the provider is named, or nothing at all.",
        widget=forms.TextInput(attrs=PLAIN),
    )
    fallback_model = forms.CharField(
        label="Fallback model",
        required=False,
        max_length=200,
        help_text="<code>provider:model</code>, asked where this provider does not answer.",
        widget=forms.TextInput(attrs=PLAIN),
    )
    context_window = forms.IntegerField(
        label="Context window",
        required=False,
        help_text="How many tokens its models take, such as 8192, for servers of your own: histories are made shorter "
        "before they fill it. Left empty, it is looked up, and 130,000 is assumed where nobody knows it.",
        widget=forms.NumberInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    is_default = forms.BooleanField(
        label="The default provider", required=False, help_text="Asked where no provider is named."
    )
    enabled = forms.BooleanField(label="Enabled", required=False, initial=True)

    def say_stored(self, provider: Provider) -> None:
        """Show that there is a key to replace."""
        key = self.fields["api_key"]
        if isinstance(key, SecretField) and provider.api_key:
            key.say_stored()

    @property
    def settings(self) -> ProviderFields:
        return ProviderFields(**self.cleaned_data)


class BudgetForm(RefusableForm):
    monthly_usd = forms.DecimalField(
        label="US dollars a month",
        required=False,
        min_value=0,
        max_digits=9,
        decimal_places=2,
        help_text="Once it is used up, no model is asked until the next month. Left empty, there is no limit.",
        widget=forms.NumberInput(attrs={"autocomplete": "off", "step": "0.01", "inputmode": "decimal"}),
    )


def settings_of(provider: Provider) -> dict[str, Any]:
    """A provider's settings as the form shows them, without the key."""
    return {field.name: getattr(provider, field.name) for field in fields(ProviderFields) if field.name != "api_key"}
