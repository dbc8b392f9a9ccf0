"""The form of a server's settings: each choice with what it means, secrets kept unless something is written."""

from typing import Any

from django import forms
from pydantic import ValidationError
from pydantic.alias_generators import to_snake

from accounts.errors import DomainError
from dashboard.secret_field import SecretField
from mcp_gateway.models import AuthType, ClientMode, RemoteServer, Transport
from mcp_gateway.remote.pages.choices import AUTH_TYPES, CLIENT_MODES, TRANSPORTS
from security.redact import REDACTED


class ServerForm(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=100,
        help_text="What people know it by, such as HubSpot or Cloudflare Docs.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    url = forms.CharField(
        label="URL",
        max_length=2000,
        help_text="The address of its MCP endpoint. It often ends in /mcp.",
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://mcp.example.com/mcp"}),
    )
    transport = forms.ChoiceField(choices=TRANSPORTS, initial=Transport.STREAMABLE_HTTP, widget=forms.RadioSelect)
    auth_type = forms.ChoiceField(
        label="Authentication", choices=AUTH_TYPES, initial=AuthType.NONE, widget=forms.RadioSelect
    )
    headers = forms.CharField(
        label="Headers",
        required=False,
        max_length=20_000,
        help_text="One a line, as the server's documentation gives them: "
        "<code>Authorization: Bearer your-api-key</code>",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off", "class": "mono"}),
    )
    client_mode = forms.ChoiceField(
        label="OAuth client",
        choices=CLIENT_MODES,
        initial=ClientMode.KNOWN_CREDENTIALS,
        widget=forms.RadioSelect,
        required=False,
    )
    client_id = forms.CharField(
        label="Client ID", required=False, max_length=500, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    client_secret = SecretField(label="Client secret", max_length=8192, help_text="Kept encrypted and not shown again.")
    scopes = forms.CharField(
        label="Scopes",
        required=False,
        max_length=2000,
        help_text="Separated by spaces. Left empty, what the server itself suggests is asked for.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    hold_changes = forms.BooleanField(
        label="Hold back changes",
        required=False,
        help_text="A tool that changed, or that came later, is not offered until an admin accepts it.",
    )

    def say_stored(self, server: RemoteServer) -> None:
        """Show which secrets there are to replace."""
        secret = self.fields["client_secret"]
        if isinstance(secret, SecretField) and server.has_client_secret:
            secret.say_stored()

    def clean_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for line in self.cleaned_data["headers"].splitlines():
            name, colon, value = line.partition(":")
            if not line.strip():
                continue
            if not colon or not name.strip():
                raise forms.ValidationError("Write one header a line: its name, a colon, its value.")
            if name.strip() in headers:
                raise forms.ValidationError(f"The header {name.strip()} is there twice.")
            headers[name.strip()] = value.strip()
        return headers

    @property
    def settings(self) -> dict[str, Any]:
        """What was entered, without what goes with a choice that was not made; an empty secret stays as it is."""
        given = self.cleaned_data
        names = ["name", "url", "transport", "auth_type", "hold_changes"]
        if given["auth_type"] == AuthType.API_KEY:
            names += ["headers"]
        if given["auth_type"] == AuthType.OAUTH:
            names += ["client_mode", "scopes"]
            if given["client_mode"] == ClientMode.KNOWN_CREDENTIALS:
                names += ["client_id", *(["client_secret"] if given["client_secret"] else [])]
        return {name: given[name] for name in names}

    def show_refusal(self, error: DomainError) -> None:
        """Put a service's refusal under the field that it names, else above the form."""
        self._say(str(error.data.get("field", "")), error.message)

    def show_faults(self, error: ValidationError) -> None:
        """The same for what fits no shape."""
        for fault in error.errors():
            self._say(str(fault["loc"][0]) if fault["loc"] else "", f"{fault['msg']}.")

    def _say(self, named: str, message: str) -> None:
        field = to_snake(named)
        self.add_error(field if field in self.fields else None, message)


def settings_of(server: RemoteServer) -> dict[str, Any]:
    """A server's settings as the form shows them, its secrets as [REDACTED] or not at all."""
    return {
        "name": server.name,
        "url": server.url,
        "transport": server.transport,
        "auth_type": server.auth_type,
        "headers": "\n".join(f"{name}: {REDACTED}" for name in server.header_names),
        "client_mode": server.client_mode or ClientMode.KNOWN_CREDENTIALS,
        "client_id": server.client_id,
        "scopes": server.scopes,
        "hold_changes": server.hold_changes,
    }
