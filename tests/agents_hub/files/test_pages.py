"""The pages of agents and their files, as a browser without scripts uses them."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from agents_hub.models import Agent, SharedFile
from tests.agents_hub.factories import AgentFactory, member_of
from tests.pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(agent: Agent) -> Client:
    person: User = member_of(agent.organization)
    return signed_in(person)


def test_an_agent_is_created_listed_renamed_and_deleted_by_its_typed_name(browser: Client, agent: Agent) -> None:
    made = browser.post(reverse("agents:create"), {"name": "Tide watcher"}, follow=True)
    assert "Tide watcher" in made.content.decode()
    watcher = Agent.objects.get(name="Tide watcher")
    assert "Tide watcher" in browser.get(reverse("agents:list")).content.decode()
    taken = browser.post(reverse("agents:edit", args=[watcher.pk]), {"name": agent.name, "max_tool_rounds": 20})
    assert taken.status_code == 422
    assert "already" in taken.content.decode()
    browser.post(reverse("agents:edit", args=[watcher.pk]), {"name": "Ebb watcher", "max_tool_rounds": 20})
    assert browser.post(reverse("agents:delete", args=[watcher.pk]), {"name": "ebb"}).status_code == 422
    assert browser.post(reverse("agents:delete", args=[watcher.pk]), {"name": "Ebb watcher"}).status_code == 302
    assert not Agent.objects.filter(pk=watcher.pk).exists()


def test_files_are_uploaded_frozen_replaced_downloaded_and_deleted(browser: Client, agent: Agent) -> None:
    page = reverse("agents:agent", args=[agent.pk])
    two = [SimpleUploadedFile("a.txt", b"a"), SimpleUploadedFile("b.txt", b"b")]
    assert browser.post(page, {"files": two}).status_code == 302
    again = browser.post(page, {"files": SimpleUploadedFile("a.txt", b"a")})
    assert again.status_code == 422
    assert "already" in again.content.decode()
    assert browser.post(page).status_code == 422
    file = SharedFile.objects.get(name="a.txt")
    where = [agent.pk, file.pk]
    browser.post(reverse("agents:freeze", args=where), {"frozen": "1"})
    assert "Frozen" in browser.get(page).content.decode()
    browser.post(reverse("agents:replace", args=where), {"files": SimpleUploadedFile("x", b"new")})
    assert b"".join(browser.get(reverse("agents:download", args=where), follow=True)) == b"new"
    browser.post(reverse("agents:delete-file", args=where), {"name": "a.txt"})
    assert [one.name for one in SharedFile.objects.all()] == ["b.txt"]
    browser.post(reverse("agents:delete-files", args=[agent.pk]), {"name": agent.name})
    assert not SharedFile.objects.exists()


def test_an_agents_files_are_sorted_and_come_page_by_page(browser: Client, agent: Agent) -> None:
    page = reverse("agents:agent", args=[agent.pk])
    for batch in range(2):
        numbers = range(batch * 15, batch * 15 + 15)
        browser.post(page, {"files": [SimpleUploadedFile(f"{n:02}.txt", b"x" * (30 - n)) for n in numbers]})

    def listed(query: str) -> list[str]:
        return [file.name for file in browser.get(f"{page}?{query}").context["page"].rows]

    names = [f"{number:02}.txt" for number in range(30)]
    assert listed("") == names[:25]
    assert listed("page=2") == names[25:]
    assert listed("sort=-name") == names[:4:-1]
    assert listed("sort=size&page=2") == names[4::-1]
    assert sorted(listed("sort=-created_at&page=2")) == names[:5]
    assert browser.get(page).context["total_size"] == sum(range(1, 31))
    assert "No files on this page" in browser.get(f"{page}?page=9").content.decode()


def test_the_list_of_agents_is_sorted_by_name_or_by_what_changed_last(browser: Client, agent: Agent) -> None:
    for name in ("Beech", "Ash"):
        AgentFactory(organization=agent.organization, name=name)
    browser.post(reverse("agents:edit", args=[agent.pk]), {"name": "Cedar", "max_tool_rounds": 20})

    def listed(query: str) -> list[str]:
        return [one.name for one in browser.get(f"{reverse('agents:list')}?{query}").context["page"].rows]

    assert listed("") == ["Ash", "Beech", "Cedar"]
    assert listed("sort=-name") == ["Cedar", "Beech", "Ash"]
    assert listed("sort=-updated_at") == ["Cedar", "Ash", "Beech"]
    assert listed("sort=created_at") == ["Cedar", "Beech", "Ash"]


@pytest.mark.parametrize("page", ["agent", "edit", "audience", "servers", "delete", "delete-files"])
def test_another_organizations_agent_has_no_pages(browser: Client, page: str) -> None:
    assert browser.get(reverse(f"agents:{page}", args=[AgentFactory().pk])).status_code == 404


@pytest.mark.parametrize("page", ["replace", "delete-file", "download"])
def test_every_page_of_a_file_that_is_not_there_says_so(browser: Client, agent: Agent, page: str) -> None:
    assert browser.get(reverse(f"agents:{page}", args=[agent.pk, agent.pk])).status_code == 404


def test_connecting_shows_this_platforms_own_address(browser: Client) -> None:
    shown = browser.get(reverse("agents:connect")).content.decode()
    assert "claude mcp add --transport http asterism http" in shown
    assert "mcp-remote" in shown


def test_the_jump_list_finds_agents_of_ones_own_organizations_alone(browser: Client, agent: Agent) -> None:
    Agent.objects.filter(pk=agent.pk).update(name="Lighthouse keeper")
    AgentFactory(name="Lighthouse spy")
    found = browser.get(reverse("dashboard:jump"), {"q": "house light"}).content.decode()
    assert reverse("agents:agent", args=[agent.pk]) in found
    assert "spy" not in found
