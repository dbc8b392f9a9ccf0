"""Demo data: agents of the demo organization, a file one of them works from, and a profile in a pool."""

from django.core.files.base import ContentFile
from django.db import transaction

from accounts.caller import Caller, Door
from accounts.models import Organization, User
from accounts.scopes import Scope
from agents_hub.models import Agent, ProfilePool
from agents_hub.services import agents, pools, profiles, shared_files
from agents_hub.shapes.profiles import CookieInput, CreateProfile, CredentialInput

AGENTS = {
    "Invoice collector": "Signs in to suppliers' portals and brings home the month's invoices.",
    "Harbour desk": "Answers questions about opening hours, berths and prices.",
}
SUPPLIERS = """supplier,portal,day of the month
Tidewater Rope,https://portal.example/tidewater,3
Lantern Oil & Wick,https://portal.example/lantern,5
Northpier Timber,https://portal.example/northpier,12
"""


@transaction.atomic
def fill(owner: User) -> list[Agent]:
    """The demo agents, made through the services where the owner's organization has none. Returns those made."""
    caller = Caller(user_id=owner.pk, scope=Scope.ADMIN, door=Door.COMMAND)
    organization = Organization.objects.for_caller(caller).order_by("pk").first()
    if organization is None or Agent.objects.filter(organization=organization).exists():
        return []
    _pool(caller, organization)
    made = [
        agents.create_agent(caller, organization_id=organization.uid, name=name, description=description)
        for name, description in AGENTS.items()
    ]
    suppliers = ContentFile(SUPPLIERS.encode(), name="suppliers.csv")
    shared_files.upload_shared_files(caller, agent_id=made[0].pk, files=[suppliers])
    return made


def _pool(caller: Caller, organization: Organization) -> ProfilePool:
    profile = profiles.create_profile(
        caller,
        profile=CreateProfile(
            organization_id=organization.uid,
            name="Suppliers' portals",
            description="Signed in where invoices are fetched; keeps its cookies between executions.",
            operating_system="macos",
            adblock_active=True,
            popup_blocker_active=True,
            cache_persistence=True,
            credentials=[CredentialInput(name="PORTAL_PASSWORD", data="a demo password that opens nothing")],
            cookies=[
                CookieInput(name="Language", key="lang", value="en", domain="portal.example", secure=True),
            ],
        ),
    )
    pool = pools.create_pool(caller, organization_id=organization.uid, name="Portals")
    return pools.add_members(caller, pool_id=pool.pk, profile_ids=[profile.pk])
