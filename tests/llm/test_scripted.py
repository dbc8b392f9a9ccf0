"""The offline model follows its script line by line, and never passes for one that thinks."""

import pytest
from asgiref.sync import async_to_sync

from llm import scripted
from llm.services.thinking import Thinker
from llm.turns import Answer, Question, Returned, ToolResult, Turn
from tests.factories import OrganizationFactory

SCRIPT = """Do as the script says.
```script
{"call": "scratchpad_write", "arguments": {"text": "seen"}}

{"say": "Done."}
```
"""


def test_each_answer_is_the_next_line() -> None:
    first = scripted.answer(Question(SCRIPT, []))
    assert [(call.name, call.arguments) for call in first.calls] == [("scratchpad_write", {"text": "seen"})]
    history: list[Turn] = [first, Returned([ToolResult(first.calls[0].id, "scratchpad_write", "ok")])]
    second = scripted.answer(Question(SCRIPT, history))
    assert (second.text, second.calls, second.model) == ("Done.", (), "scripted")
    assert "no further line" in scripted.answer(Question(SCRIPT, [*history, second])).text


def test_without_a_script_it_says_that_there_is_no_model() -> None:
    assert "No model is configured" in scripted.answer(Question("Think hard.", [])).text


@pytest.mark.parametrize("line", ["{", "[]", '{"call": 1}', '{"call": "a", "arguments": []}', '{"do": "a"}'])
def test_a_line_that_cannot_be_followed_is_named(line: str) -> None:
    said = scripted.answer(Question(f'```script\n{{"say": "a"}}\n{line}\n```', [])).text
    assert "Line 2" in said


@pytest.mark.django_db
def test_without_a_provider_the_script_is_what_answers() -> None:
    organization = OrganizationFactory()
    said: list[str] = []

    async def hear(text: str) -> None:
        said.append(text)

    async def think() -> Answer:
        thinker = Thinker(organization_id=organization.pk, user_id=None, product="workflows")
        return await thinker.ask("", Question('```script\n{"say": "Hello."}\n```', []), on_text=hear)

    assert async_to_sync(think)().text == "Hello."
    assert said == ["Hello."]
