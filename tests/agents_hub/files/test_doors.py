"""Files by MCP, by REST and by their links."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signing import TimestampSigner
from django.test import AsyncClient, Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Membership, User
from accounts.scopes import Scope
from agents_hub.files import links
from agents_hub.models import Agent, SharedFile, StagedFile
from agents_hub.services import shared_files
from mcp_gateway.asgi import Endpoint
from security.models import AuditEntry
from tests.agents_hub.factories import member_of
from tests.agents_hub.files.conftest import Kept, sent
from tests.factories import make_key
from tests.mcp_gateway import door
from tests.mcp_gateway.door import Direct

BASE = "/agents/v2/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def person(agent: Agent) -> User:
    return member_of(agent.organization)


@pytest.fixture
def file(agent: Agent, caller: Caller) -> SharedFile:
    (file,) = shared_files.upload_shared_files(caller, agent_id=agent.pk, files=[sent()])
    return file


# MCP -----------------------------------------------------------------------------------------------------


@pytest.fixture
def mcp(person: User, settings: Any) -> Direct:
    settings.QUICK_THREADS = 0
    return Direct(Endpoint(door.IDENTITY, tools="platform", per_minute=0), door.api_key(person))


def by_mcp(mcp: Direct, tool: str, **arguments: Any) -> Any:
    result = mcp.call(tool, **arguments).result
    assert not result.get("isError"), result
    return result["structuredContent"]


def in_message(content: bytes, name: str) -> dict[str, str]:
    return {"name": name, "contentBase64": base64.b64encode(content).decode(), "mimeType": "text/html"}


def test_files_live_their_life_by_tool(mcp: Direct, agent: Agent, folder: Kept) -> None:
    where = {"agentId": str(agent.pk)}
    (added,) = by_mcp(mcp, "agentSharedFilesUpload", **where, files=[in_message(b"\x00\xff", "../a.bin")])["files"]
    assert added["fileName"] == "a.bin"
    assert (added["fileSize"], added["mimeType"], added["version"]) == (2, "application/octet-stream", 1)
    where["fileId"] = added["id"]
    assert by_mcp(mcp, "agentSharedFilesUpdate", **where, files=[in_message(b"more", "b")])["version"] == 2
    assert by_mcp(mcp, "agentSharedFilesFreeze", **where, isFrozen=True)["isFrozen"] is True
    listed = by_mcp(mcp, "agentSharedFilesGet", agentId=str(agent.pk))
    assert listed["totalSize"] == 4
    assert [one["fileName"] for one in listed["files"]] == ["a.bin"]
    by_mcp(mcp, "agentSharedFilesDelete", **where)
    by_mcp(mcp, "agentSharedFilesUpload", agentId=str(agent.pk), files=[in_message(b"x", "x")])
    by_mcp(mcp, "agentSharedFilesDeleteAll", agentId=str(agent.pk))
    assert not SharedFile.objects.exists()


def test_staging_gives_ids_and_names_and_the_audit_keeps_no_content(mcp: Direct, agent: Agent) -> None:
    secret = b"the harbour's plans"
    organization = str(agent.organization.uid)
    (staged,) = by_mcp(mcp, "tempFilesStage", organizationId=organization, files=[in_message(secret, "p.txt")])[
        "tempFiles"
    ]
    assert staged == {"id": str(StagedFile.objects.get().pk), "name": "p.txt"}
    assert base64.b64encode(secret).decode() not in str(list(AuditEntry.objects.values_list("detail", flat=True)))


@pytest.mark.parametrize("content", ["not base64!", "YQ", "YQ==\n", "é"])
def test_what_is_not_base64_is_refused_by_name(mcp: Direct, agent: Agent, content: str) -> None:
    result = mcp.call(
        "agentSharedFilesUpload", agentId=str(agent.pk), files=[{"name": "a", "contentBase64": content}]
    ).result
    assert result["isError"]
    assert "contentBase64" in str(result["content"])


# REST ----------------------------------------------------------------------------------------------------


@pytest.fixture
def key(person: User) -> dict[str, str]:
    return {"authorization": f"Bearer {make_key(person, Scope.WRITE)[1]}"}


def multipart(method: str, path: str, key: dict[str, str], *files: tuple[str, bytes]) -> Any:
    body = {"files": [SimpleUploadedFile(name, content, "text/html") for name, content in files]}
    return Client().generic(
        method, BASE + path, encode_multipart(BOUNDARY, body), content_type=MULTIPART_CONTENT, headers=key
    )


def test_files_live_their_life_by_rest(key: dict[str, str], agent: Agent, folder: Kept) -> None:
    shared = f"agents/{agent.pk}/shared-files"
    added = multipart("POST", shared, key, ("one.txt", b"1"), ("two.csv", b"2,2"))
    assert added.status_code == 200
    one, two = added.json()["files"]
    assert set(one) == {
        "id", "agentId", "filePath", "fileName", "fileSize", "mimeType", "createdAt", "updatedAt", "version",
        "isFrozen", "lastModifiedByExecutionId", "downloadUrl",
    }  # fmt: skip
    assert (two["fileName"], two["mimeType"]) == ("two.csv", "text/csv")
    assert multipart("PUT", f"{shared}/{one['id']}", key, ("x", b"new"), ("y", b"n")).status_code == 400
    assert multipart("PUT", f"{shared}/{one['id']}", key, ("x", b"new")).json()["version"] == 2
    frozen = Client().patch(
        f"{BASE}{shared}/{one['id']}/freeze", {"isFrozen": True}, content_type="application/json", headers=key
    )
    assert frozen.json()["isFrozen"] is True
    listed = Client().get(BASE + shared, headers=key).json()
    assert ([file["fileName"] for file in listed["files"]], listed["totalSize"]) == (["one.txt", "two.csv"], 6)
    lead = Client().get(f"{BASE}{shared}/{one['id']}/download", headers=key)
    assert lead.status_code == 302
    assert b"".join(Client().get(lead["Location"])) == b"new"
    assert Client().delete(f"{BASE}{shared}/{one['id']}", headers=key).status_code == 204
    assert Client().delete(f"{BASE}{shared}/delete-all", headers=key).status_code == 204
    assert Client().get(BASE + shared, headers=key).json() == {"files": [], "totalSize": 0}


def test_staging_by_rest(key: dict[str, str], agent: Agent) -> None:
    answer = multipart("POST", f"temp-files/{agent.organization.uid}", key, ("a.txt", b"a"))
    assert [one["name"] for one in answer.json()["tempFiles"]] == ["a.txt"]


def test_too_large_too_full_and_taken_have_their_statuses(
    key: dict[str, str], agent: Agent, file: SharedFile, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = f"agents/{agent.pk}/shared-files"
    assert multipart("POST", shared, key, ("tides.txt", b"x")).status_code == 409
    settings.FILES_QUOTA_BYTES = 12
    assert multipart("POST", shared, key, ("b", b"xx")).status_code == 402
    monkeypatch.setattr("agents_hub.files.content.LARGEST_BYTES", 1)
    assert multipart("POST", shared, key, ("b", b"xx")).status_code == 413


# Links ---------------------------------------------------------------------------------------------------


def test_a_link_hands_the_content_over_to_be_saved_and_never_shown(caller: Caller, file: SharedFile) -> None:
    answer = Client().get(links.sign(caller, file))
    assert b"".join(answer) == b"tide tables"
    assert answer["Content-Disposition"] == 'attachment; filename="tides.txt"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox;")
    assert "no-store" in answer["Cache-Control"]


def test_a_link_is_answered_under_the_asynchronous_server_as_well(caller: Caller, file: SharedFile) -> None:
    async def fetch(link: str) -> bytes:
        answer: Any = await AsyncClient().get(link)
        return b"".join([part async for part in answer])

    assert async_to_sync(fetch)(links.sign(caller, file)) == b"tide tables"


def test_a_changed_link_leads_nowhere(caller: Caller, file: SharedFile) -> None:
    link = links.sign(caller, file)
    for wrong in (link[:-1], link[:-1] + ("A" if link[-1] != "A" else "B"), "/files/x", "/files/..%2f..%2fsecret_key"):
        assert Client().get(wrong).status_code == 404


def test_a_link_ends_after_a_quarter_of_an_hour(
    caller: Caller, file: SharedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = links.sign(caller, file)
    assert timedelta(seconds=links.GOOD_FOR_SECONDS) == timedelta(minutes=15)
    late = (timezone.now() + timedelta(minutes=15, seconds=1)).timestamp()
    monkeypatch.setattr("django.core.signing.time.time", lambda: late)
    assert TimestampSigner().timestamp()
    assert Client().get(link).status_code == 404


def test_a_link_ends_with_the_membership_and_with_the_file(caller: Caller, agent: Agent, file: SharedFile) -> None:
    link = links.sign(caller, file)
    membership = Membership.objects.get(user_id=caller.user_id, organization=agent.organization)
    membership.delete()
    assert Client().get(link).status_code == 404
    membership.save(force_insert=True)
    assert b"".join(Client().get(link)) == b"tide tables"
    shared_files.delete_shared_file(caller, agent_id=agent.pk, file_id=file.pk)
    assert Client().get(link).status_code == 404
