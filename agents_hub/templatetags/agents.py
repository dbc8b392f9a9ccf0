"""What templates of agents and profiles ask for."""

from django import template

from agents_hub.models import Profile, TurnStatus
from agents_hub.models.profiles import ProxyMode
from agents_hub.pages.profile_form import ProfileForm
from agents_hub.services.profile_rules import PLAIN_FIELDS
from security.redact import redact_text

register = template.Library()

MEANINGS: dict[str, str] = {
    TurnStatus.IN_PROGRESS: "info",
    TurnStatus.COMPLETED: "ok",
    TurnStatus.STOPPED: "warn",
    TurnStatus.ERROR: "error",
    TurnStatus.TIMEOUT: "error",
}


@register.filter
def meaning_of_turn(status: str) -> str:
    """How the status of an answer is coloured."""
    return MEANINGS[status]


@register.filter
def proxy_of(profile: Profile) -> str:
    """How a profile reaches the web, in a few words."""
    told = [profile.get_proxy_mode_display()]
    if profile.proxy_mode == ProxyMode.MANAGED:
        told += [profile.get_proxy_type_display().lower(), profile.get_proxy_country_display()]
    elif profile.proxy_mode == ProxyMode.CUSTOM:
        told.append(redact_text(profile.proxy_server))
    elif profile.proxy_mode == ProxyMode.GATEWAY:
        told.append(profile.proxy_gateway_preset)
    return ", ".join(part for part in told if part)


@register.filter
def switches_of(profile: Profile) -> list[str]:
    """What is switched on in a profile's browser, each as its form names it."""
    fields = ProfileForm.base_fields
    return [str(fields[wire].label) for wire, row in PLAIN_FIELDS.items() if getattr(profile, row) is True]
