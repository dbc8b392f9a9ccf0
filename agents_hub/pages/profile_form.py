"""The form of a browser profile: the contract's fields in groups, and each refusal under the field it is about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.forms import BoundField
from pydantic import ValidationError

from accounts.errors import DomainError, Invalid
from accounts.pages.forms import show_refusal
from agents_hub.models import Profile
from agents_hub.models.profiles import OperatingSystem, ProxyCountry, ProxyMode, ProxyType
from agents_hub.services.profile_rules import CLEARABLE, PLAIN_FIELDS
from agents_hub.shapes.profiles import CreateProfile, ProfileFields, UpdateProfile
from dashboard.secret_field import SecretField

CUSTOM_PROXY = {"server": "proxy_server", "username": "proxy_username", "password": "proxy_password"}
# The form's fields by the names that refusals use: the service the contract's, the shapes those that they were sent by.
FIELDS = {
    **{name: name for name in ProfileFields.model_fields},
    **{field.alias or name: name for name, field in ProfileFields.model_fields.items()},
    "customProxy": "proxy_server",
    "customProxy.password": "proxy_password",
    **{f"custom_proxy.{part}": field for part, field in CUSTOM_PROXY.items()},
}
# Rules in the words of this page, where the contract's own name fields as programs spell them.
RULES = {
    "proxy_type": "Choose a type: the managed proxy needs one.",
    "proxy_server": "Give the proxy's server, as host:port or a URL of at most 300 characters.",
    "proxy_password": "Give the proxy's password. It is asked for again when the server changes.",
    "tailscale_auth_key": "Give an auth key of your tailnet.",
    "proxy_gateway_preset_id": "Give the id of the gateway's preset.",
    "captcha_solver_active": "This works with the managed proxy alone. Switch it off, or choose Managed.",
    "sticky_ip": "This works with the managed proxy alone. Switch it off, or choose Managed.",
    "popup_blocker_active": "This works with the ad blocker alone. Switch it off, or the ad blocker on.",
    "inbox_email_prefix": "Use small letters, digits and . _ + - in between, 64 characters at most.",
}


@dataclass(frozen=True, slots=True)
class Group:
    legend: str
    names: tuple[str, ...]
    mode: str = ""
    """The proxy mode that the group belongs to, if it belongs to one."""


GROUPS = (
    Group("", ("name", "description")),
    Group("Proxy", ("proxy_mode",)),
    Group("Managed proxy", ("proxy_type", "proxy_cc", "captcha_solver_active", "sticky_ip"), "managed"),
    Group("Custom proxy", ("proxy_server", "proxy_username", "proxy_password"), "custom"),
    Group("Tailscale", ("tailscale_auth_key",), "tailscale"),
    Group("Gateway", ("proxy_gateway_preset_id",), "gateway"),
    Group(
        "Browser",
        (
            "operating_system",
            "extra_stealth",
            "cache_persistence",
            "adblock_active",
            "popup_blocker_active",
            "force_popups_as_tabs_active",
            "media_blocker_active",
            "pdf_viewer_active",
            "tracing_enabled",
        ),
    ),
    Group("Inbox", ("inbox_email_prefix",)),
)


def _switch(label: str, help_text: str = "", *, initial: bool = False) -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=help_text, initial=initial, required=False)


class ProfileForm(forms.Form):
    name = forms.CharField(max_length=255)
    description = forms.CharField(
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What it is for, in a sentence.",
    )
    proxy_mode = forms.ChoiceField(
        label="Mode", choices=ProxyMode.choices, help_text="How the agent's browser reaches the web."
    )
    proxy_type = forms.ChoiceField(label="Type", choices=[("", "Choose one"), *ProxyType.choices], required=False)
    proxy_cc = forms.ChoiceField(
        label="Country", choices=[("", "Wherever there is room"), *ProxyCountry.choices], required=False
    )
    captcha_solver_active = _switch("Solve captchas")
    sticky_ip = _switch("Keep the same IP address")
    proxy_server = forms.CharField(
        label="Server", max_length=300, required=False, help_text="As host:port, or a URL of a proxy."
    )
    proxy_username = forms.CharField(
        label="Username", max_length=255, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    proxy_password = SecretField(label="Password", max_length=16_384)
    tailscale_auth_key = SecretField(label="Auth key", max_length=16_384)
    proxy_gateway_preset_id = forms.CharField(label="Preset id", max_length=100, required=False)
    operating_system = forms.ChoiceField(
        choices=[("", "Any"), *OperatingSystem.choices],
        required=False,
        help_text="The system that the browser says it runs on.",
    )
    extra_stealth = _switch("Extra stealth", "Hides more of what tells an automated browser from a person's.")
    cache_persistence = _switch("Keep the browser cache", "Sign-ins and cookies last from one execution to the next.")
    adblock_active = _switch("Block ads")
    popup_blocker_active = _switch("Block pop-ups", "With the ad blocker alone.")
    force_popups_as_tabs_active = _switch("Open pop-ups as tabs", initial=True)
    media_blocker_active = _switch("Block media", "Images, sound and films are not loaded.")
    pdf_viewer_active = _switch("Show PDFs in the browser", "Otherwise they are downloaded.")
    tracing_enabled = _switch("Record a trace", "What the browser did, to look at afterwards.", initial=True)
    inbox_email_prefix = forms.CharField(label="Address before the @", max_length=64, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, profile: Profile | None = None) -> None:
        super().__init__(data, initial=_shown(profile) if profile else None)
        self.fields["inbox_email_prefix"].help_text = (
            f"Mail to this address at {settings.INBOX_DOMAIN} reaches the agent. Without one it has an address of "
            "its own."
        )
        if profile:
            for name, stored in (
                ("proxy_password", profile.proxy_password),
                ("tailscale_auth_key", profile.tailscale_auth_key),
            ):
                field = self.fields[name]
                if isinstance(field, SecretField) and stored is not None:
                    field.say_stored()

    def groups(self) -> Iterator[tuple[Group, list[BoundField]]]:
        for group in GROUPS:
            yield group, [self[name] for name in group.names]

    def to_create(self, organization_id: UUID) -> CreateProfile | None:
        """What the service takes, or nothing where the shape itself refuses it; the form then says why."""
        sent = self._fields(set(self.fields)) | {"organization_id": organization_id}
        try:
            return CreateProfile.model_validate(sent)
        except ValidationError as error:
            self._show_misfits(error)
            return None

    def to_update(self, profile_id: UUID) -> UpdateProfile | None:
        """The same with what was changed and nothing else."""
        try:
            return UpdateProfile.model_validate(self._fields(set(self.changed_data)) | {"profile_id": profile_id})
        except ValidationError as error:
            self._show_misfits(error)
            return None

    def show_refusal(self, error: DomainError) -> None:
        """A service's refusal, under the field that it names."""
        field = FIELDS.get(str(error.data.get("field", "")))
        if field and isinstance(error, Invalid) and field in RULES:
            self.add_error(field, RULES[field])
        else:
            show_refusal(self, type(error)(error.message, data={"field": field or ""}))

    def _fields(self, names: set[str]) -> dict[str, Any]:
        cleaned = self.cleaned_data
        fields: dict[str, Any] = {name: cleaned[name] for name in PLAIN_FIELDS if name in names}
        for name in CLEARABLE & names:
            fields[name] = cleaned[name] or None
        if cleaned["tailscale_auth_key"]:
            fields["tailscale_auth_key"] = cleaned["tailscale_auth_key"]
        if cleaned["proxy_mode"] == ProxyMode.CUSTOM and names & {"proxy_mode", *CUSTOM_PROXY.values()}:
            fields["custom_proxy"] = {part: cleaned[field] for part, field in CUSTOM_PROXY.items()}
            fields["custom_proxy"]["password"] = cleaned["proxy_password"] or None
        return fields

    def _show_misfits(self, error: ValidationError) -> None:
        for misfit in error.errors():
            field = FIELDS.get(".".join(str(part) for part in misfit["loc"]))
            self.add_error(field, RULES.get(field or "", misfit["msg"]))


def _shown(profile: Profile) -> dict[str, Any]:
    """What the form begins with: everything but the secrets."""
    return {name: getattr(profile, row) for name, row in PLAIN_FIELDS.items()} | {
        "proxy_server": profile.proxy_server,
        "proxy_username": profile.proxy_username,
    }
