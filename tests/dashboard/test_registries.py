"""What apps add to the shell: entries of the rail, places of the jump list, panels of the home page."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from accounts.models import User
from dashboard.jump import JumpList, Place, matches
from dashboard.navigation import Navigation, Section, anyone, staff
from dashboard.panels import Panels


def rail_at(path: str, *, person: User | AnonymousUser) -> dict[str, bool]:
    navigation = Navigation()
    navigation.add(Section.FOOT, "Settings", "accounts:settings")
    navigation.add(Section.HELP, "Docs", "dashboard:docs", shown_to=anyone)
    navigation.add(Section.MAIN, "Bots", "bots:list", order=10)
    navigation.add(Section.MAIN, "Home", "dashboard:home", order=0)
    navigation.add(Section.MAIN, "Operators", "dashboard:audit", order=20, shown_to=staff)
    request = RequestFactory().get(path)
    request.user = person
    return {link.label: link.is_current for links in navigation.rail(request).values() for link in links}


def test_the_rail_follows_sections_then_order_whatever_order_apps_start_in() -> None:
    assert list(rail_at("/", person=User())) == ["Home", "Bots", "Docs", "Settings"]


def test_the_entry_nearest_to_the_address_is_the_current_one() -> None:
    assert rail_at("/dashboard/bots/7/tickets", person=User())["Bots"]
    assert not rail_at("/dashboard/bots/7/tickets", person=User())["Home"]
    assert rail_at("/dashboard/", person=User())["Home"]


def test_a_stranger_sees_only_what_is_open_to_anyone() -> None:
    assert list(rail_at("/docs/", person=AnonymousUser())) == ["Docs"]


def test_an_operators_entry_is_shown_to_operators() -> None:
    assert "Operators" not in rail_at("/", person=User())
    assert "Operators" in rail_at("/", person=User(is_staff=True))


def test_adding_something_twice_is_refused_at_the_start() -> None:
    navigation, jump_list, panels = Navigation(), JumpList(), Panels()
    navigation.add(Section.MAIN, "Bots", "bots:list")
    jump_list.add("Bots", lambda person, words: [])
    panels.add("bots/home_panel.html", lambda request: {})
    with pytest.raises(ValueError, match="bots:list"):
        navigation.add(Section.MAIN, "Bots again", "bots:list")
    with pytest.raises(ValueError, match="Bots"):
        jump_list.add("Bots", lambda person, words: [])
    with pytest.raises(ValueError, match="home_panel"):
        panels.add("bots/home_panel.html", lambda request: {})


def test_the_jump_list_leaves_out_headings_with_nothing_under_them_and_shows_a_bounded_number() -> None:
    jump_list = JumpList()
    jump_list.add("Many", lambda person, words: (Place(f"Place {number}", "/") for number in range(1_000_000)))
    jump_list.add("None", lambda person, words: [])
    found = jump_list.find(User(), "")
    assert list(found) == ["Many"]
    assert len(found["Many"]) == 8


@pytest.mark.parametrize(
    ("words", "is_found"),
    [("", True), ("harb", True), ("TICK harb", True), ("harb cases", False), ("  tickets  ", True)],
)
def test_every_word_typed_has_to_stand_in_the_label_in_any_order(words: str, is_found: bool) -> None:
    assert matches("Harbourmaster: Tickets", words) is is_found
