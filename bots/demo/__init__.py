"""Demo data: one bot in the sandbox Discord, with two guilds that have lived for 60 days.

The same every time but for the moment it ends at, which is now: what is random comes from one seed.
"""

from random import Random

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bots.demo import activity, codes, guilds, sanctions, sandbox, tickets
from bots.models import Bot

SEED = 4_021
DAYS = 60


def fill(owner: User) -> Bot:
    """The owner's demo bot, made if it is missing, and the sandbox's state if that is."""
    state = settings.VAR / "discord-sandbox.json"
    bot = Bot.objects.filter(owner=owner, sandbox=True).order_by("id").first()
    if bot is None:
        bot = _make(owner)
        state.unlink(missing_ok=True)  # The state of a bot that is no more.
    if not state.exists():
        state.parent.mkdir(parents=True, exist_ok=True)
        sandbox.world_of(bot).save(state)
    return bot


@transaction.atomic
def _make(owner: User) -> Bot:
    now = timezone.now()
    bot = guilds.make_bot(owner, now)
    for place in guilds.PLACES:
        # One for each guild: how much of it activity takes depends on the hour, and the next one's stories must not.
        chance = Random(f"{SEED} {place.name}")  # noqa: S311 - it makes stories, not secrets
        scene = guilds.make_guild(bot, place, chance, now, days=DAYS)
        tickets.make(scene, chance)
        sanctions.make(scene, owner, chance)
        codes.make(scene, owner)
        activity.make(scene, chance)
    activity.keep_returns(bot, now)
    return bot
