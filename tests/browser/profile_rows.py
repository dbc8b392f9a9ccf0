"""Browser profiles for looking at pages: one with everything a profile can have, some in its pool and some outside."""

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Organization
from agents_hub.services.pools import add_members, create_pool, pick_profile
from agents_hub.services.profiles import clear_browser_cache, create_profile
from agents_hub.shapes.profiles import CookieInput, CreateProfile, CredentialInput, CustomProxyInput


def fill(caller: Caller, organization: Organization) -> dict[str, Sequence[object]]:
    """What the arguments of the pages of profiles and pools can be."""
    whole = create_profile(
        caller,
        profile=CreateProfile(
            organization_id=organization.uid,
            name="Suppliers of the outer dock",
            description="Signed in where invoices are fetched.",
            proxy_mode="custom",
            custom_proxy=CustomProxyInput(server="proxy.example:8080", username="dock", password="never shown"),
            operating_system="macos",
            adblock_active=True,
            cache_persistence=True,
            credentials=[
                CredentialInput(name="portal_password", data="never shown either"),
                CredentialInput(name="A_NAME_THAT_IS_LONGER_THAN_MOST_PEOPLE_WOULD_THINK_OF", data="nor this"),
            ],
            cookies=[
                CookieInput(name="Language", key="lang", value="en", domain="portal.example"),
                CookieInput(
                    name="Consent",
                    key="consent",
                    value="all",
                    domain="a.long.name.of.a.portal.example",
                    expiry=timezone.now() + timedelta(days=90),
                    secure=True,
                    http_only=True,
                ),
            ],
        ),
    )
    clear_browser_cache(caller, profile_id=whole.pk)
    managed = {
        "organizationId": str(organization.uid),
        "description": "",
        "proxyMode": "managed",
        "proxyType": "residential",
        "proxyCC": "fi",
    }
    others = [
        create_profile(caller, profile=CreateProfile.model_validate(managed | {"name": name}))
        for name in ("Night shift", "Day shift", "Stand-in")
    ]
    pool = create_pool(caller, organization_id=organization.uid, name="Portals")
    empty = create_pool(caller, organization_id=organization.uid, name="Nobody yet", allow_concurrent_use=True)
    add_members(caller, pool_id=pool.pk, profile_ids=[whole.pk, *(one.pk for one in others[:2])])
    pick_profile(pool)
    return {
        "profile_id": [whole.pk],
        "credential_id": [whole.credentials.all()[0].pk],
        "cookie_id": [whole.cookies.all()[0].pk],
        "pool_id": [pool.pk, empty.pk],
    }
