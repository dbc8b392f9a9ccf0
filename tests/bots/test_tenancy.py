"""What the database itself refuses: a row that hangs on one owner's bot and another's guild."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from bots.models import Bot, GiftCode, Guild
from bots.models.tenancy import OwnedQuerySet
from tests.bots.factories import (
    ActivityBucketFactory,
    BotFactory,
    CommandInvocationFactory,
    GuildFactory,
    ModerationCaseFactory,
    TicketFactory,
    caller_for,
)

pytestmark = pytest.mark.django_db
SHARED = {"RateLimitBucket", "RateLimitRoute"}
OWNED = [model for model in apps.get_app_config("bots").get_models() if model.__name__ not in SHARED]


def gift_code(bot: Bot, guild: Guild) -> GiftCode:
    return GiftCode.objects.create(bot=bot, guild=guild, digest=b"x" * 32, max_uses=1, created_at=guild.joined_at)


@pytest.mark.parametrize(
    "make",
    [TicketFactory, ModerationCaseFactory, ActivityBucketFactory, CommandInvocationFactory, gift_code],
    ids=lambda make: make.__name__,
)
def test_a_row_cannot_name_one_bot_and_the_guild_of_another(make: Callable[..., Any]) -> None:
    guild, other = GuildFactory(), BotFactory()
    make(bot=guild.bot, guild=guild).delete()
    with pytest.raises(IntegrityError, match="guild_of_its_bot"), transaction.atomic():
        _commit(make, bot=other, guild=guild)


def _commit(make: Callable[..., Any], **fields: Any) -> None:
    """Make the row and let the constraints that wait for the commit speak now."""
    make(**fields)
    connection.check_constraints()


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_every_row_of_bots_is_reached_through_its_owner(model: Any) -> None:
    assert isinstance(model.objects.all(), OwnedQuerySet)
    stranger = caller_for(BotFactory().owner)
    assert "owner_id" in str(model.objects.for_caller(stranger).query)
