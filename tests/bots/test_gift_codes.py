"""Gift codes: shown once, never used too often, within the plan, and given out to the last reward."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.errors import Conflict, Invalid, NotFound, PlanLimit
from bots.models import CurrencyLedger, GiftCode, Guild, MemberXP, Redemption, RewardGrant, RewardKind
from bots.services import gift_codes
from bots.services.gift_codes import NewCode, Reward
from bots.services.redemption import Redeemer, redeem
from security.models import AuditEntry
from tests.bots.factories import BotFactory, GuildFactory, caller_for, subscribe
from tests.threads import at_once, fared

XP = Reward(RewardKind.XP, amount=100)


def generate(guild: Guild, *rewards: Reward, **asked: Any) -> list[NewCode]:
    asked = {"max_uses": 1, "guild_id": guild.discord_id, "rewards": rewards or [XP], **asked}
    return gift_codes.generate_codes(caller_for(guild.bot.owner), bot_id=guild.bot_id, **asked)


@pytest.mark.django_db
def test_a_code_is_given_in_clear_once_and_stored_as_a_digest() -> None:
    (made,) = generate(GuildFactory())
    assert len(made.code.replace("-", "")) == 24
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(code)::text FROM bots_giftcode code WHERE id = %s", [made.row.pk])
        stored = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(detail::text, ' ') FROM security_auditentry")
        audited = cursor.fetchone()[0]
    for hidden in (made.code, made.code.replace("-", ""), made.code.split("-")[1]):
        assert hidden not in stored
        assert hidden not in audited
    assert made.row.prefix == made.code[:4]


@pytest.mark.django_db
def test_codes_do_not_repeat_and_use_the_whole_alphabet() -> None:
    codes = [made.code for made in generate(GuildFactory(), quantity=50)]
    assert len(set(codes)) == 50
    characters = Counter("".join(codes).replace("-", ""))
    assert set(characters) == set(gift_codes.ALPHABET)


@pytest.mark.django_db
def test_a_code_is_found_however_it_is_typed() -> None:
    guild = GuildFactory()
    (made,) = generate(guild, max_uses=3)
    for user, typed in enumerate((made.code.lower(), made.code.replace("-", " "), made.code.replace("0", "O"))):
        redeem(guild, Redeemer(user + 1, "mira"), typed)
    assert GiftCode.objects.get().uses == 3


@pytest.mark.django_db
def test_codes_of_before_a_change_of_keys_still_work(settings: Settings) -> None:
    guild = GuildFactory()
    (made,) = generate(guild)
    settings.ENCRYPTION_KEYS = ["bmV3ZXIga2V5IG5ld2VyIGtleSBuZXdlciBrZXkgMTI=", *settings.ENCRYPTION_KEYS]
    redeem(guild, Redeemer(1, "mira"), made.code)
    assert GiftCode.objects.get().uses == 1


@pytest.mark.django_db
def test_the_plan_limits_how_many_codes_are_active() -> None:
    guild = GuildFactory()
    subscribe(guild.bot.owner, max_active_gift_codes=2)
    first, _ = generate(guild, quantity=2)
    with pytest.raises(PlanLimit, match="includes 2 active gift codes; 2 are used") as refused:
        generate(guild)
    assert (refused.value.data["allowed"], refused.value.data["used"]) == (2, 2)
    gift_codes.revoke_code(caller_for(guild.bot.owner), code_id=first.row.pk)
    generate(guild)


@pytest.mark.django_db
def test_the_plan_counts_the_codes_of_all_the_owners_bots_and_of_nobody_else() -> None:
    guild = GuildFactory()
    subscribe(guild.bot.owner, max_active_gift_codes=1)
    generate(GuildFactory())
    generate(GuildFactory(bot__owner=guild.bot.owner))
    with pytest.raises(PlanLimit):
        generate(guild)


@pytest.mark.django_db
def test_expired_and_used_up_codes_leave_room_in_the_plan() -> None:
    guild = GuildFactory()
    subscribe(guild.bot.owner, max_active_gift_codes=1)
    (used,) = generate(guild)
    redeem(guild, Redeemer(1, "mira"), used.code)
    (expired,) = generate(guild, expires_at=timezone.now() + timedelta(hours=1))
    GiftCode.objects.filter(pk=expired.row.pk).update(expires_at=timezone.now())
    generate(guild)


@pytest.mark.django_db
def test_the_plan_limits_redemptions_per_code() -> None:
    guild = GuildFactory()
    subscribe(guild.bot.owner, max_redemptions_per_code=50)
    generate(guild, max_uses=50)
    with pytest.raises(PlanLimit, match="includes 50 redemptions per code"):
        generate(guild, max_uses=51)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "asked",
    [
        {"rewards": []},
        {"rewards": [XP] * 6},
        {"quantity": 0},
        {"quantity": 51},
        {"max_uses": 0},
        {"max_uses": 1_000_001},
        {"guild_id": None, "rewards": [Reward(RewardKind.ROLE, role_id=5)]},
        {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        generate(GuildFactory(), **asked)
    assert not GiftCode.objects.exists()


@pytest.mark.django_db
def test_a_revoked_code_is_redeemed_by_nobody() -> None:
    guild = GuildFactory()
    caller = caller_for(guild.bot.owner)
    (made,) = generate(guild)
    assert gift_codes.revoke_code(caller, code_id=made.row.pk).status == "revoked"
    with pytest.raises(Conflict, match="revoked"):
        redeem(guild, Redeemer(1, "mira"), made.code)
    with pytest.raises(Conflict, match="revoked already"):
        gift_codes.revoke_code(caller, code_id=made.row.pk)
    assert not Redemption.objects.exists()
    assert AuditEntry.objects.filter(action="gift_code.revoke").count() == 1


@pytest.mark.django_db
def test_a_code_is_redeemed_only_where_it_belongs() -> None:
    guild = GuildFactory()
    (made,) = generate(guild)
    for elsewhere in (GuildFactory(bot=guild.bot), GuildFactory()):
        with pytest.raises(NotFound):
            redeem(elsewhere, Redeemer(1, "mira"), made.code)
    with pytest.raises(NotFound):
        redeem(guild, Redeemer(1, "mira"), "0000-0000-0000-0000-0000-0000")


@pytest.mark.django_db
def test_a_person_redeems_a_code_once() -> None:
    guild = GuildFactory()
    (made,) = generate(guild, max_uses=5)
    redeem(guild, Redeemer(1, "mira"), made.code)
    with pytest.raises(Conflict, match="already"):
        redeem(guild, Redeemer(1, "mira"), made.code)
    assert GiftCode.objects.get().uses == 1


@pytest.mark.django_db
def test_experience_and_currency_are_there_at_once_and_roles_are_owed() -> None:
    guild = GuildFactory()
    rewards = [
        XP,
        Reward(RewardKind.CURRENCY, amount=25),
        Reward(RewardKind.ROLE, role_id=5),
        Reward(RewardKind.TEMP_ROLE, role_id=6, duration_seconds=3600),
    ]
    for made in generate(guild, *rewards, quantity=2):
        redeem(guild, Redeemer(1, "mira"), made.code)
    assert MemberXP.objects.get(guild=guild, user_id=1).xp == 200
    assert [entry.amount for entry in CurrencyLedger.objects.filter(guild=guild, user_id=1)] == [25, 25]
    states = Counter(RewardGrant.objects.values_list("reward__kind", "status"))
    assert states == {("XP", "given"): 2, ("CURRENCY", "given"): 2, ("ROLE", "pending"): 2, ("TEMP_ROLE", "pending"): 2}


@pytest.mark.django_db
def test_lists_tell_states_apart_and_never_show_the_code() -> None:
    guild = GuildFactory()
    made = generate(guild, quantity=4)
    caller = caller_for(guild.bot.owner)
    active, revoked, expired, used = made
    gift_codes.revoke_code(caller, code_id=revoked.row.pk)
    GiftCode.objects.filter(pk=expired.row.pk).update(expires_at=timezone.now())
    redeem(guild, Redeemer(1, "mira"), used.code)
    for status, code in (("active", active), ("revoked", revoked), ("expired", expired), ("exhausted", used)):
        page = gift_codes.list_codes(caller, bot_id=guild.bot_id, status=status)
        assert [row.pk for row in page.rows] == [code.row.pk]
        assert page.rows[0].status == status


@pytest.mark.django_db
def test_somebody_elses_codes_are_not_found() -> None:
    guild, stranger = GuildFactory(), caller_for(BotFactory().owner)
    (made,) = generate(guild)
    with pytest.raises(NotFound):
        gift_codes.revoke_code(stranger, code_id=made.row.pk)
    with pytest.raises(NotFound):
        gift_codes.list_codes(stranger, bot_id=guild.bot_id)
    with pytest.raises(NotFound):
        gift_codes.generate_codes(stranger, bot_id=guild.bot_id, rewards=[XP], max_uses=1)
    assert GiftCode.objects.get().status == "active"


@pytest.mark.django_db
def test_the_database_itself_holds_a_code_to_its_uses() -> None:
    (made,) = generate(GuildFactory())
    with pytest.raises(IntegrityError), transaction.atomic():
        GiftCode.objects.filter(pk=made.row.pk).update(uses=2)


@pytest.mark.django_db(transaction=True)
def test_of_forty_who_redeem_at_once_exactly_as_many_as_the_code_allows_succeed() -> None:
    guild = GuildFactory()
    (made,) = generate(guild, max_uses=10)
    outcomes = at_once(*[partial(redeem, guild, Redeemer(user, "mira"), made.code) for user in range(1, 41)])
    assert Counter(fared(outcomes)) == {"ok": 10, "code_exhausted": 30}
    assert GiftCode.objects.get().uses == Redemption.objects.count() == MemberXP.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_one_person_forty_times_at_once_redeems_once() -> None:
    guild = GuildFactory()
    (made,) = generate(guild, max_uses=40)
    outcomes = at_once(*[partial(redeem, guild, Redeemer(7, "mira"), made.code)] * 40)
    assert Counter(fared(outcomes)) == {"ok": 1, "already_redeemed": 39}
    assert GiftCode.objects.get().uses == 1
    assert MemberXP.objects.get().xp == 100


@pytest.mark.django_db(transaction=True)
def test_generating_at_once_does_not_exceed_the_plan() -> None:
    guild = GuildFactory()
    subscribe(guild.bot.owner, max_active_gift_codes=5)
    outcomes = at_once(*[partial(generate, guild)] * 12)
    assert Counter(fared(outcomes)) == {"ok": 5, "plan_limit": 7}
