"""A long chat is made short by the model's own words, with what was said last left as it was said."""

from agents_hub.chat import compaction
from llm.turns import Answer, Image, Question, Returned, Said, ToolResult, Turn, Usage


def answer(tokens: int) -> Answer:
    return Answer("Yes.", (), Usage(tokens - 5, 0, 5), "fake:model", {})


def test_it_is_due_when_the_last_answer_and_what_came_after_it_are_longer_than_suits_the_model() -> None:
    assert not compaction.is_due([Said("Hello"), answer(200_000), Said("And?"), answer(900)], from_tokens=1_000)
    assert compaction.is_due([Said("Hello"), answer(1_001), Said("And?")], from_tokens=1_000)
    assert compaction.is_due([Said("Hello"), answer(900), Said("word " * 100)], from_tokens=1_000)


def test_one_message_alone_is_never_due() -> None:
    assert not compaction.is_due([Said("word " * 100_000)], from_tokens=1_000)


def test_the_question_leaves_what_is_asked_and_calls_for_no_tool() -> None:
    asked = Question("Be brief.", [Said("Hello"), answer(1)], must_call=True)
    question = compaction.question(asked)
    assert (question.instructions, question.must_call) == ("Be brief.", False)
    assert list(question.history[:-1]) == asked.history
    assert isinstance(question.history[-1], Said)


def test_the_summary_follows_what_was_said_last() -> None:
    last = Said("And what is this?", [Image("image/png", b"x")])
    history: list[Turn] = [Said("Hello"), answer(1), last, answer(2), Returned([ToolResult("1", "look", "seen")])]
    text = compaction.told(history, " They greeted.\n")
    assert text.startswith("The person said last:\nAnd what is this?\n[1 images, no longer shown]\n\n")
    assert text.endswith(f"{compaction.TOLD}\nThey greeted.\n\n{compaction.GO_ON}")
    assert compaction.told([], "Nothing.").startswith(compaction.TOLD)
