"""A signed-in owner at the pages' door."""

import pytest
from django.test import Client

from bots.models import Bot
from tests.bots.factories import BotFactory


@pytest.fixture
def bot(db: None) -> Bot:
    made: Bot = BotFactory.create(name="Harbourmaster")
    return made


@pytest.fixture
def owner(client: Client, bot: Bot) -> Client:
    client.force_login(bot.owner)
    return client
