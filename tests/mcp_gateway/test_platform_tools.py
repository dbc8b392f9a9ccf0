"""The platform's own tools, called as a signed-in person's client calls them."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from pytest_django import Settings

from accounts.caller import Caller, Door
from accounts.models import Membership, Organization, User
from accounts.scopes import Scope
from mcp_gateway.asgi import Endpoint
from mcp_gateway.models import Passage
from mcp_gateway.oauth.entrance import TokenEntrance
from tests.mcp_gateway import door
from tests.mcp_gateway.door import Direct
from tests.mcp_gateway.oauth.conftest import browser, flow  # noqa: F401
from tests.mcp_gateway.oauth.flow import Flow, member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_this_thread")]

HARBOUR = """\
# Running a harbour

Ships come in here.

## Mooring a ship

Throw the line and make it fast to the bollard.

```sh
moor --line 2
```

## Paying the dues

The harbourmaster takes coins. A line of people waits.
"""
LANTERNS = """\
# Lanterns

## Lighting

A lantern needs oil. Ships look for it at night.
"""


@pytest.fixture
def platform(flow: Flow) -> Direct:  # noqa: F811
    served = Endpoint(door.IDENTITY, tools="platform", entrance=TokenEntrance("/mcp"), per_minute=0)
    return Direct(served, flow.tokens()["access_token"])


def given(platform: Direct, tool: str, **arguments: Any) -> Any:
    result = platform.call(tool, **arguments).result
    assert not result.get("isError"), result
    return result["structuredContent"]


def test_the_context_is_the_person_and_their_organizations(platform: Direct, person: User) -> None:
    second = member(person, "Babbage").organization
    Organization.objects.create(name="Of others", slug="others")
    first = Organization.objects.get(name="Lovelace")
    assert given(platform, "getContext") == {
        "userId": str(person.uid),
        "email": person.email,
        "organizations": [{"id": str(second.uid), "name": "Babbage"}, {"id": str(first.uid), "name": "Lovelace"}],
    }


def test_an_organization_that_was_left_is_gone_from_the_context(platform: Direct, person: User) -> None:
    member(person, "Babbage")
    Membership.objects.get(organization__name="Lovelace").delete()
    assert [one["name"] for one in given(platform, "getContext")["organizations"]] == ["Babbage"]


@pytest.fixture
def guides(tmp_path: Path, settings: Settings) -> Path:
    settings.ROOT = tmp_path
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "harbour.md").write_text(HARBOUR)
    (folder / "lanterns.md").write_text(LANTERNS)
    (folder / "index.md").write_text("# Contents\n\nNothing about a bollard.\n")
    call_command("index_docs", verbosity=0)
    return folder


def found(platform: Direct, query: str) -> list[str]:
    return [result["title"] for result in given(platform, "searchDocs", query=query)["results"]]


@pytest.mark.usefixtures("guides")
def test_a_search_gives_the_passage_and_the_address_of_its_page(platform: Direct) -> None:
    (result,) = given(platform, "searchDocs", query="bollard")["results"]
    assert result["title"] == "Running a harbour: Mooring a ship"
    assert "Throw the line" in result["content"]
    assert "moor --line 2" in result["content"]
    assert result["url"] == f"{configured.PUBLIC_URL}/docs/harbour#mooring-a-ship"


@pytest.mark.usefixtures("guides")
def test_a_word_in_a_heading_counts_for_more_than_one_in_the_text(platform: Direct) -> None:
    assert found(platform, "ship")[0] == "Running a harbour: Mooring a ship"
    assert "Lanterns: Lighting" in found(platform, "ship")


@pytest.mark.usefixtures("guides")
def test_words_are_found_in_other_forms_and_some_suffice(platform: Direct) -> None:
    assert found(platform, "moored ships")[0] == "Running a harbour: Mooring a ship"
    assert found(platform, "how do lanterns get their electricity?")[0] == "Lanterns: Lighting"


@pytest.mark.usefixtures("guides")
def test_where_few_passages_hold_all_words_those_that_hold_some_follow(platform: Direct) -> None:
    first, *others = found(platform, "ship bollard")
    assert first == "Running a harbour: Mooring a ship"
    assert set(others) == {"Running a harbour", "Lanterns: Lighting"}


@pytest.mark.usefixtures("guides")
@pytest.mark.parametrize("query", ["xylophone", "the of", "'\"", "!!! & | <->", "((", "\\", "a" * 400])
def test_what_the_guides_do_not_say_gives_nothing_and_never_fails(platform: Direct, query: str) -> None:
    assert found(platform, query) == []


def test_indexing_again_follows_the_files(platform: Direct, guides: Path) -> None:
    (guides / "harbour.md").unlink()
    (guides / "lanterns.md").write_text(LANTERNS.replace("oil", "wax"))
    call_command("index_docs", verbosity=0)
    assert found(platform, "bollard") == []
    assert found(platform, "wax") == ["Lanterns: Lighting"]
    assert Passage.objects.count() == 1


@pytest.mark.usefixtures("guides")
def test_searching_takes_the_index(platform: Direct) -> None:
    from django.contrib.postgres.search import SearchQuery
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Passage.objects.order_by().filter(search=SearchQuery("ship", config="english")).explain()
    assert "passage_search" in plan


QUESTIONS = {
    "getting started": "Getting started",
    "connect claude code": "Connecting clients",
    "close a ticket of my bot": "Bots",
    "gift codes": "Bots",
    "bots MCP server endpoint": "The bots' MCP server",
    "upload shared files of an agent": "Agents",
    "browser profile proxy": "Browser profiles",
    "how do pools choose a profile": "Browser profiles",
    "add a remote MCP server": "Remote MCP servers",
    "REST API key header": "The REST API",
    "invite somebody into an organization": "Accounts",
    "when discord refuses": "Discord",
    "security of secrets": "Security",
    "backup and upgrade": "Operations",
}


def test_the_real_guides_answer_for_every_product(platform: Direct) -> None:
    call_command("index_docs", verbosity=0)
    answers = {question: {title.split(": ")[0] for title in found(platform, question)} for question in QUESTIONS}
    assert not {asked: answers[asked] for asked, guide in QUESTIONS.items() if guide not in answers[asked]}


def test_every_address_that_search_gives_leads_to_its_heading(platform: Direct) -> None:
    from django.test import Client

    call_command("index_docs", verbosity=0)
    for passage in Passage.objects.exclude(anchor=""):
        page = Client().get(f"/docs/{passage.guide}").content.decode()
        assert f'id="{passage.anchor}"' in page, f"{passage.guide}#{passage.anchor}"


def test_a_schema_is_judged_as_an_object_and_as_text(platform: Direct) -> None:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    assert given(platform, "schemaValidate", schema=schema) == {"valid": True, "errors": []}
    assert given(platform, "schemaValidate", schema=json.dumps(schema)) == {"valid": True, "errors": []}
    assert given(platform, "schemaValidate", schema="{") == {
        "valid": False,
        "errors": ["$: the schema is a text, not an object."],
    }


def test_the_tools_tell_what_they_do(platform: Direct) -> None:
    listed = {tool["name"]: tool for tool in platform.rpc("tools/list").result["tools"]}
    for name in ("getContext", "searchDocs", "schemaValidate"):
        tool = listed[name]
        assert tool["annotations"]["readOnlyHint"] is True
        assert tool["outputSchema"]["type"] == "object"
        assert tool["description"]


def test_the_tools_need_no_more_than_reading(person: User) -> None:
    from mcp_gateway.mcp_tools import Nothing, get_context

    member(person)
    caller = Caller(user_id=person.pk, scope=Scope.READ, door=Door.MCP)
    assert get_context(caller, Nothing()).email == person.email
