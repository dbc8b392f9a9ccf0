"""What stands on a terminal while somebody types, and something is to be said meanwhile."""

import io

import pytest

from agents_hub.models import TurnEvent
from agents_hub.terminal.screen import Screen


@pytest.fixture
def terminal() -> io.StringIO:
    """Where the answer and what is said about it both go, as on a terminal."""
    return io.StringIO()


@pytest.fixture
def screen(terminal: io.StringIO) -> Screen:
    return Screen(terminal, terminal)


def test_what_is_said_while_an_answer_is_awaited_has_its_own_line_and_the_question_stands_again(
    screen: Screen, terminal: io.StringIO
) -> None:
    screen.prompt("Allow it? ")
    screen.note("> Lab: Danger")
    assert terminal.getvalue() == "Allow it? \n> Lab: Danger\nAllow it? "


def test_what_is_said_after_a_line_was_typed_needs_none_of_its_own(screen: Screen, terminal: io.StringIO) -> None:
    screen.prompt("Allow it? ")
    terminal.write("once\n")
    screen.is_typed("once")
    screen.note("< Lab: Danger done")
    assert terminal.getvalue() == "Allow it? once\n< Lab: Danger done\n"


def test_a_question_that_is_given_up_is_not_asked_again(screen: Screen, terminal: io.StringIO) -> None:
    screen.prompt("Allow it? ")
    screen.is_typed(None)
    screen.note("This question is closed.")
    assert terminal.getvalue() == "Allow it? \nThis question is closed.\n"


def test_an_answer_that_comes_while_something_is_typed_begins_in_a_line_of_its_own(
    screen: Screen, terminal: io.StringIO
) -> None:
    screen.prompt("Allow it? ")
    screen.event(TurnEvent(kind="text", body={"text": "Done."}))
    assert terminal.getvalue() == "Allow it? \nDone."
