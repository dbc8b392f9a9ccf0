"""The admin of bots: every row can be found, no secret can be seen, and facts cannot be changed."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from bots.models import Bot, ModerationCase, RewardKind
from bots.services import gift_codes
from bots.services.gift_codes import Reward
from security.models import AuditEntry
from tests.bots.factories import BotFactory, GuildFactory, ModerationCaseFactory, TicketFactory, caller_for
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
MODELS = sorted(apps.get_app_config("bots").get_models(), key=lambda model: model.__name__)


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_is_listed_and_searched(operator: Client, model: type[Model]) -> None:
    where = reverse(f"admin:bots_{model._meta.model_name}_changelist")
    for query in ("", "harbour", "123", "9" * 30):
        assert operator.get(where, {"q": query}).status_code == 200
    assert admin.site._registry[model].search_fields


def test_a_token_is_never_shown_and_stays_when_nothing_is_typed(operator: Client) -> None:
    bot = BotFactory(token="a very secret token")
    where = reverse("admin:bots_bot_change", args=[bot.pk])
    page = operator.get(where).content.decode()
    assert "very secret" not in page
    sent = {
        "name": "Renamed",
        "owner": bot.owner_id,
        "application_id": bot.application_id,
        "status": "disabled",
        "token": "",
    }
    assert operator.post(where, sent).status_code == 302
    stored = Bot.objects.get(pk=bot.pk)
    assert (stored.name, stored.status, stored.token) == ("Renamed", "disabled", "a very secret token")
    assert AuditEntry.objects.filter(action__startswith="admin", target__contains=str(bot.pk)).exists()


def test_a_gift_code_shows_no_digest(operator: Client) -> None:
    guild = GuildFactory()
    (made,) = gift_codes.generate_codes(
        caller_for(guild.bot.owner), bot_id=guild.bot_id, rewards=[Reward(RewardKind.XP, amount=5)], max_uses=1
    )
    page = operator.get(reverse("admin:bots_giftcode_change", args=[made.row.pk])).content.decode()
    assert made.row.prefix in page
    assert "digest" not in page.lower()


def test_facts_cannot_be_changed_or_deleted(operator: Client) -> None:
    case = ModerationCaseFactory()
    where = reverse("admin:bots_moderationcase_change", args=[case.pk])
    assert operator.get(where).status_code == 200
    assert operator.post(where, {"reason": "Rewritten"}).status_code == 403
    assert (
        operator.post(reverse("admin:bots_moderationcase_delete", args=[case.pk]), {"post": "yes"}).status_code == 403
    )
    assert ModerationCase.objects.get(pk=case.pk).reason == "Spam"


def test_a_list_costs_the_same_for_one_row_and_for_ten(
    operator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    TicketFactory.create_batch(10)
    with django_assert_max_num_queries(8):
        operator.get(reverse("admin:bots_ticket_changelist"))
