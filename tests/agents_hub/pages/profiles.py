"""A profile's pages by name, and its form as a browser sends it."""

PROFILE_PAGES = (
    "profile",
    "edit-profile",
    "duplicate-profile",
    "clear-cache",
    "delete-profile",
    "add-credential",
    "add-cookie",
)

SECRETS = ("proxy-pass-1", "tail-key-1", "hunter2-value", "cookie-value-1")


def whole(**fields: object) -> dict[str, object]:
    """What a browser sends of the form as it comes, with `fields` filled in; what is unticked it leaves out."""
    sent: dict[str, object] = {"name": "Buyer", "proxy_mode": "none"}
    sent |= {"force_popups_as_tabs_active": "on", "tracing_enabled": "on"}
    return {name: value for name, value in (sent | fields).items() if value is not None}


CUSTOM = {"proxy_mode": "custom", "proxy_server": "p.example:8080", "proxy_username": "u", "proxy_password": SECRETS[0]}
