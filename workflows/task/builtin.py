"""The actions that need nothing but the platform: notes, time, words to people and questions to them."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asgiref.sync import sync_to_async
from django.conf import settings
from pydantic import Field

from workflows.engine import activities
from workflows.engine.activities import Line
from workflows.engine.work import Waiting, Work
from workflows.graph.properties import SCRATCHPAD
from workflows.task import people
from workflows.task.actions import Action, ActionFailed, Arguments, actions

# Seconds: a longer wait than the first gives the worker back.
LONGEST_AT_WORK = 10
LONGEST_WAIT = 24 * 3600
LONGEST_NOTE = 50_000
# Of a question for which the model gave none: the contract's questions have one.
HEADER = "Question"


class Nothing(Arguments):
    pass


class Zone(Arguments):
    time_zone: str = Field(default="UTC", description="An IANA name, such as Europe/Berlin.")


async def get_datetime(work: Work, arguments: Zone) -> str:
    """Now, in ISO 8601 with the offset."""
    try:
        return datetime.now(ZoneInfo(arguments.time_zone)).isoformat(timespec="seconds")
    except (ZoneInfoNotFoundError, ValueError):
        raise ActionFailed(f"{arguments.time_zone} is not a time zone; give an IANA name, as Europe/Berlin.") from None


class Wait(Arguments):
    seconds: Annotated[float, Field(gt=0, le=LONGEST_WAIT, description="How long to wait.")]


async def wait_time(work: Work, arguments: Wait) -> str:
    """Short waits are waited for here. A longer one gives the worker back; a person's message ends it."""
    if work.resumed:
        return "The wait is over."
    if arguments.seconds > LONGEST_AT_WORK:
        raise Waiting(f"The agent waits for {arguments.seconds:g} seconds.", seconds=arguments.seconds)
    await asyncio.sleep(arguments.seconds)
    return f"{arguments.seconds:g} seconds have passed."


class Message(Arguments):
    message: Annotated[str, Field(min_length=1, max_length=10_000)]


async def send_user_message(work: Work, arguments: Message) -> str:
    await sync_to_async(work.tell)(activities.generic(arguments.message))
    return "People who look at this execution see it."


class Note(Arguments):
    text: Annotated[str, Field(max_length=LONGEST_NOTE)]


async def scratchpad_write(work: Work, arguments: Note) -> str:
    """The note as it stands after the write; it is kept for the nodes after this one too."""
    await sync_to_async(work.keep)(SCRATCHPAD, arguments.text)
    return "Written."


async def scratchpad_read(work: Work, arguments: Nothing) -> str:
    return str(work.execution.variables.get(SCRATCHPAD, ""))


class Todo(Arguments):
    content: Annotated[str, Field(min_length=1, max_length=500)]
    active_form: Annotated[
        str | None,
        Field(alias="activeForm", max_length=500, description="The same while it is done: “Looking at the order”."),
    ] = None
    status: Literal["pending", "in_progress", "completed"] = "pending"


class Todos(Arguments):
    todos: Annotated[list[Todo], Field(max_length=50)]


async def write_todos(work: Work, arguments: Todos) -> str:
    todos = [todo.model_dump(by_alias=True, exclude_none=True) for todo in arguments.todos]
    await sync_to_async(work.tell)(Line("todos_updated", {"todos": todos}))
    return "Noted."


class Option(Arguments):
    label: Annotated[str, Field(min_length=1, max_length=100)]
    description: Annotated[str, Field(max_length=500)] = ""


class AskedOne(Arguments):
    question: Annotated[str, Field(min_length=1, max_length=2_000)]
    header: Annotated[str, Field(max_length=50, description="One or two words.")] = ""
    options: Annotated[list[Option], Field(max_length=10)] = []
    multi_select: bool = False


class Ask(Arguments):
    questions: Annotated[list[AskedOne], Field(min_length=1, max_length=5)]


async def ask_user(work: Work, arguments: Ask) -> str:
    """What people answered. The first time the worker is given back; once somebody has answered, this runs again."""
    if work.resumed:
        messages = await sync_to_async(people.answers)(work)
        work.take_up(messages)
        said = "\n".join(message.text for message in messages)
        return (
            said or "Nobody answered; a person let the run go on. Decide by yourself, or say that it cannot be decided."
        )
    raise Waiting(
        arguments.questions[0].question,
        questions=[_as_wire(question) for question in arguments.questions],
        seconds=settings.WORKFLOW_ANSWER_HOURS * 3600,
    )


def _as_wire(question: AskedOne) -> dict[str, Any]:
    asked = question.model_dump(exclude={"multi_select"}) | {"header": question.header or HEADER}
    return {**asked, "multiSelect": True} if question.multi_select else asked


for _action in (
    Action(
        "util_get_datetime", "Tell the date and time in a time zone.", Zone, get_datetime, "utility", repeatable=True
    ),
    Action("util_wait_time", "Wait before going on.", Wait, wait_time, "utility", repeatable=True),
    Action(
        "util_send_user_message",
        "Say something to the people who look at this execution, without waiting for an answer.",
        Message,
        send_user_message,
        "utility",
    ),
    Action(
        "scratchpad_read", "Read the note of this execution.", Nothing, scratchpad_read, "scratchpad", repeatable=True
    ),
    Action(
        "scratchpad_write",
        "Write the note of this execution over; later tasks can read it.",
        Note,
        scratchpad_write,
        "scratchpad",
        repeatable=True,
    ),
    Action(
        "todos", "Keep a list of what is to be done, for people to see.", Todos, write_todos, "utility", repeatable=True
    ),
    Action(
        "ask_user",
        "Ask people, and wait for their answer: only where nothing else decides it.",
        Ask,
        ask_user,
        "people",
        repeatable=True,
    ),
):
    actions.add(_action)
