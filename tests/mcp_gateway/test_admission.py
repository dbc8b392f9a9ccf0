"""Who is let in, and what is answered before a message is read."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import ApiKey, User
from tests.mcp_gateway import door, things
from tests.mcp_gateway.door import Direct

LIST = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'


def without_key(direct: Direct) -> Direct:
    return Direct(direct.served)


def refused(answer: door.Answer, status: int, code: str) -> str:
    """The message of a refusal, after checking that it is one in JSON with its request id."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["jsonrpc"] == "2.0"
    assert answer.json["id"] is None
    assert answer.error["data"] == {"code": code, "requestId": answer.headers["x-request-id"]}
    return str(answer.error["message"])


def test_without_a_key_the_answer_says_how_to_send_one(direct: Direct) -> None:
    answer = without_key(direct).post(LIST)
    assert "/dashboard/settings" in refused(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="asterism"'


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic d2l6Og==", "wiz_abc"])
def test_a_malformed_authorization_header_is_refused(direct: Direct, header: str) -> None:
    answer = without_key(direct).post(LIST, authorization=header)
    refused(answer, 401, "unauthorized")
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("text", ["wiz_", "wiz_" + "a" * 32, "nonsense", "wiz_" + "é" * 32, "x" * 10_000])
def test_a_malformed_key_is_refused(direct: Direct, text: str) -> None:
    answer = without_key(direct).post(LIST, authorization=f"Bearer {text}")
    refused(answer, 401, "unauthorized")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_an_unknown_expired_or_revoked_key_and_one_of_a_deactivated_person_are_refused_alike(
    direct: Direct, person: User
) -> None:
    unknown = door.api_key(person)
    ApiKey.objects.order_by("-pk")[0].delete()
    answers = [Direct(direct.served, unknown).post(LIST)]
    for change in ({"expires_at": timezone.now() - timedelta(seconds=1)}, {"revoked_at": timezone.now()}):
        key = door.api_key(person)
        ApiKey.objects.filter(pk=ApiKey.objects.order_by("-pk")[0].pk).update(**change)
        answers.append(Direct(direct.served, key).post(LIST))
    User.objects.filter(pk=person.pk).update(is_active=False)
    answers.append(direct.post(LIST))
    assert len({refused(answer, 401, "unauthorized") for answer in answers}) == 1


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS"])
def test_another_method_is_refused_with_the_one_allowed(direct: Direct, method: str) -> None:
    answer = direct.post(b"", method=method)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:1"]
)
def test_a_page_of_somebody_else_is_refused(direct: Direct, origin: str) -> None:
    refused(direct.post(LIST, origin=origin), 403, "origin_not_allowed")


def test_our_own_pages_and_allowed_ones_may_call(direct: Direct, settings: Settings) -> None:
    settings.MCP_ALLOWED_ORIGINS = ["https://friend.example"]
    assert direct.post(LIST, origin="http://localhost").status == 200
    assert direct.post(LIST, origin="https://friend.example").status == 200


def test_a_host_name_that_is_not_ours_is_refused(direct: Direct) -> None:
    refused(direct.post(LIST, host="rebound.evil.example"), 403, "host_not_allowed")


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"]
)
def test_a_body_that_is_not_json_in_utf_8_is_refused(direct: Direct, kind: str | None) -> None:
    refused(direct.post(LIST, content_type=kind), 415, "unsupported_media_type")


def test_an_encoded_body_is_refused(direct: Direct) -> None:
    refused(direct.post(LIST, content_encoding="gzip"), 415, "unsupported_encoding")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=UTF-8"])
def test_json_in_utf_8_is_taken(direct: Direct, kind: str) -> None:
    assert direct.post(LIST, content_type=kind).status == 200


def test_the_path_with_a_slash_after_it_is_the_same_endpoint(direct: Direct) -> None:
    assert Direct(direct.served, direct.key, door.PATH + "/").post(LIST).status == 200
    assert Direct(direct.served, direct.key, door.PATH + "/more").post(LIST).status == 404


def test_the_61st_request_of_a_minute_from_one_address_is_refused_and_told_when_to_come_back(
    direct: Direct, settings: Settings
) -> None:
    settings.MCP_SERVER_RATE_PER_MINUTE = 60
    settings.REDIS_URL = ""
    counted = Direct(door.endpoint(things.SERVER, things.registry), direct.key)
    assert {counted.post(LIST).status for _ in range(60)} == {200}
    answer = counted.post(LIST)
    refused(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_keys_that_fail_count_too(direct: Direct, settings: Settings) -> None:
    settings.MCP_SERVER_RATE_PER_MINUTE = 3
    settings.REDIS_URL = ""
    counted = door.endpoint(things.SERVER, things.registry)
    assert [Direct(counted, "wiz_wrong").post(LIST).status for _ in range(4)] == [401, 401, 401, 429]
    assert Direct(counted, direct.key).post(LIST).status == 429
