"""The rules that a profile's fields keep between them. Each fault names the field, as the wire spells it."""

from accounts.errors import Invalid
from agents_hub.models import Profile
from agents_hub.shapes.profiles import ProfileFields
from security.redact import REDACTED

# The wire's field and the row's, where writing the one is writing the other; an emptied choice is an empty string.
PLAIN_FIELDS = {
    "name": "name",
    "description": "description",
    "proxy_mode": "proxy_mode",
    "proxy_cc": "proxy_country",
    "proxy_type": "proxy_type",
    "proxy_gateway_preset_id": "proxy_gateway_preset",
    "captcha_solver_active": "captcha_solver",
    "sticky_ip": "sticky_ip",
    "operating_system": "operating_system",
    "extra_stealth": "extra_stealth",
    "cache_persistence": "cache_persistence",
    "adblock_active": "adblock",
    "popup_blocker_active": "popup_blocker",
    "force_popups_as_tabs_active": "popups_as_tabs",
    "media_blocker_active": "media_blocker",
    "pdf_viewer_active": "pdf_viewer",
    "tracing_enabled": "tracing",
    "inbox_email_prefix": "inbox_prefix",
}
# What may be emptied by sending null; null for any other field is refused.
CLEARABLE = {"proxy_cc", "proxy_type", "proxy_gateway_preset_id", "operating_system", "inbox_email_prefix"}


def write_fields(profile: Profile, fields: ProfileFields) -> None:
    """Put the fields that were sent into the row, and hold the whole to the rules; raises `Invalid`, saves nothing."""
    for wire, row in PLAIN_FIELDS.items():
        if wire not in fields.model_fields_set:
            continue
        value = getattr(fields, wire)
        if value is None and wire not in CLEARABLE:
            raise fault(_spelling(wire), "cannot be null. Leave it out to keep what it is.")
        setattr(profile, row, "" if value is None else value)
    profile.name = profile.name.strip()
    if not profile.name:
        raise fault("name", "is empty. Give the profile a name.")
    _write_custom_proxy(profile, fields)
    if fields.tailscale_auth_key and fields.tailscale_auth_key != REDACTED:
        profile.tailscale_auth_key = fields.tailscale_auth_key
    _hold_to_rules(profile)


def _write_custom_proxy(profile: Profile, fields: ProfileFields) -> None:
    proxy = fields.custom_proxy
    if proxy is None:
        return
    password_sent = proxy.password not in (None, REDACTED)
    # A stored password is never carried to a server that it was not meant for.
    if proxy.server != profile.proxy_server and not password_sent:
        profile.proxy_password = None
    profile.proxy_server, profile.proxy_username = proxy.server, proxy.username
    if password_sent:
        profile.proxy_password = proxy.password


def _hold_to_rules(profile: Profile) -> None:
    mode = profile.proxy_mode
    if mode == "managed" and not profile.proxy_type:
        raise fault("proxyType", "is required with proxyMode managed: basic, residential or mobile.")
    if mode == "custom" and not profile.proxy_server:
        raise fault("customProxy", "is required with proxyMode custom: {server, username, password}.")
    if mode == "custom" and profile.proxy_password is None:
        raise fault("customProxy.password", "is required, and again when the server changes.")
    if mode == "tailscale" and profile.tailscale_auth_key is None:
        raise fault("tailscaleAuthKey", "is required with proxyMode tailscale.")
    if mode == "gateway" and not profile.proxy_gateway_preset:
        raise fault("proxyGatewayPresetId", "is required with proxyMode gateway.")
    if profile.captcha_solver and mode != "managed":
        raise fault("captchaSolverActive", "works only with proxyMode managed. Switch it off or choose managed.")
    if profile.sticky_ip and mode != "managed":
        raise fault("stickyIP", "works only with proxyMode managed. Switch it off or choose managed.")
    if profile.popup_blocker and not profile.adblock:
        raise fault("popupBlockerActive", "works only with adblockActive. Switch it off or adblockActive on.")


def fault(field: str, what: str) -> Invalid:
    return Invalid(f"{field} {what}", data={"field": field})


def _spelling(wire: str) -> str:
    return ProfileFields.model_fields[wire].alias or wire
