"""Demo data: agents of the demo organization, a file one of them works from, and a profile in a pool."""

import json

from django.core.files.base import ContentFile
from django.db import transaction

from accounts.caller import Caller, Door
from accounts.models import Organization, User
from accounts.scopes import Scope
from agents_hub.chat.sources import sources
from agents_hub.models import Agent, Audience, ProfilePool, Stage
from agents_hub.services import abilities, agents, audiences, pools, profiles, shared_files
from agents_hub.services.agent_rules import ChatFields
from agents_hub.shapes.profiles import CookieInput, CreateProfile, CredentialInput

AGENTS = {
    "Invoice collector": "Signs in to suppliers' portals and brings home the month's invoices.",
    "Harbour desk": "Answers questions about opening hours, berths and prices.",
}
SAID = (
    "I looked into the tickets of the harbour's server: unfold **List tickets** above to see what I was given.",
    "This is a demonstration: no model is configured, so these words were written beforehand. Once an administrator "
    "has added a provider under **Control Hub**, **Models**, I answer by myself.",
    "Until then, ask once more to see the script go on, or **Edit** your question for a branch beside it. **Agents** "
    "has what I am told and which tools I have.",
)
# Without a model the script is followed, so that there is something to see at once.
SCRIPT = "\n".join(
    [
        "```script",
        json.dumps({"call": "bot_ticket_list", "arguments": {"limit": 3}}),
        json.dumps({"say": "\n\n".join(SAID)}),
        json.dumps({"say": "Berths cost 24 euros a night, in this script at least. It has no further line."}),
        "```",
    ]
)
CHAT = {
    "Invoice collector": ChatFields(
        instructions="You help with suppliers' invoices. Say from which portal one comes, and never guess a sum.",
        conversation_starters=["Which invoices are due this week?", "From which portals do you collect?"],
    ),
    "Harbour desk": ChatFields(
        instructions="You are the desk of a small harbour. Answer shortly and kindly. Look into the tickets of the "
        "harbour's Discord server before you say what guests ask for. Nobody is promised a berth that nobody has "
        f"confirmed.\n\nWhat follows is for when no model is configured; pass it over.\n\n{SCRIPT}",
        conversation_starters=["What do guests ask for just now?", "What does a berth cost?"],
    ),
}
RELEASED = "Harbour desk"
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
        agents.create_agent(
            caller, organization_id=organization.uid, name=name, description=description, chat=CHAT[name]
        )
        for name, description in AGENTS.items()
    ]
    for agent in made:
        if agent.name == RELEASED:
            _release(caller, agent)
    suppliers = ContentFile(SUPPLIERS.encode(), name="suppliers.csv")
    shared_files.upload_shared_files(caller, agent_id=made[0].pk, files=[suppliers])
    return made


def _release(caller: Caller, agent: Agent) -> None:
    """Let everybody talk to it, with the tools of the owner's first bot."""
    bots = sources.find("bots")
    first = [one.id for one in bots.choices(caller, agent)][:1] if bots else []
    abilities.change_subjects(caller, agent_id=agent.pk, source="bots", add=first, remove=[])
    audiences.set_audience(caller, agent_id=agent.pk, stage=Stage.RELEASED, audience=Audience.EVERYBODY)


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
