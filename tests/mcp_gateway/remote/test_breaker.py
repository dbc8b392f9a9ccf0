"""A provider that fails is left alone by everybody, and looked at by one until it is back."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from mcp_gateway.models import RemoteIssuer
from mcp_gateway.remote import breaker, forgetting
from tests.threads import at_once

ISSUER = "https://id.example.com"


def time_passes(seconds: float) -> None:
    RemoteIssuer.objects.update(closed_until=F("closed_until") - timedelta(seconds=seconds))


def fail(times: int) -> None:
    for _ in range(times):
        breaker.failed(breaker.admit(ISSUER))


def test_an_issuer_nobody_knows_may_be_asked(db: None) -> None:
    assert breaker.admit(ISSUER) == breaker.Admission(ISSUER)
    breaker.answered(breaker.admit(ISSUER))
    assert not RemoteIssuer.objects.exists(), "nothing is written where nothing is wrong"


def test_five_failures_in_a_row_close_it_and_an_answer_begins_anew(db: None) -> None:
    fail(4)
    breaker.answered(breaker.admit(ISSUER))
    fail(4)
    assert breaker.admit(ISSUER).wait == 0
    fail(1)
    assert 7 < breaker.admit(ISSUER).wait <= 15


def test_other_issuers_are_not_concerned(db: None) -> None:
    fail(5)
    assert breaker.admit("https://other.example.com").wait == 0


def test_when_its_time_is_over_one_goes_first_and_the_others_wait_for_it(transactional_db: None) -> None:
    fail(5)
    time_passes(60)
    admissions = at_once(*[lambda: breaker.admit(ISSUER)] * 8)
    [probe] = [each for each in admissions if each.wait == 0]
    assert probe.probe
    breaker.answered(probe)
    assert breaker.admit(ISSUER) == breaker.Admission(ISSUER)


def test_it_closes_for_longer_with_each_probe_that_fails_up_to_ten_minutes(db: None) -> None:
    fail(5)
    for longest in (30, 60, 120, 240, 480, 600, 600):
        time_passes(3_600)
        fail(1)
        assert longest / 2 - 1 < breaker.admit(ISSUER).wait <= longest


def test_what_was_on_its_way_when_it_closed_does_not_count(db: None) -> None:
    on_their_way = [breaker.admit(ISSUER) for _ in range(8)]
    for each in on_their_way:
        breaker.failed(each)
    assert RemoteIssuer.objects.get().failures == 5
    assert breaker.admit(ISSUER).wait <= 15


@pytest.mark.parametrize(("said", "longest"), [(120, 120), (86_400, 600)])
def test_a_retry_after_closes_it_at_once(db: None, said: float, longest: float) -> None:
    breaker.failed(breaker.admit(ISSUER), said)
    assert longest - 1 < breaker.admit(ISSUER).wait <= longest


def test_a_probe_that_nobody_heard_of_again_gives_way(db: None) -> None:
    fail(5)
    time_passes(60)
    assert breaker.admit(ISSUER).probe
    assert 0 < breaker.admit(ISSUER).wait <= breaker.PROBE_SECONDS
    time_passes(breaker.PROBE_SECONDS + 1)
    assert breaker.admit(ISSUER).probe


def test_an_issuer_that_did_not_fail_for_a_month_is_forgotten(db: None) -> None:
    fail(1)
    assert forgetting.forget_issuers() == 0
    RemoteIssuer.objects.update(updated_at=Now() - timedelta(days=31))
    assert forgetting.forget_issuers() == 1
