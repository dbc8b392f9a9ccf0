"""Making a long history short: the model writes down what matters of it, and goes on from its own words."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from llm import scripted
from llm.telling import clipped
from llm.turns import Answer, Question, Returned, Said, Turn

# Tokens of a history from which on it is made short, whatever the model takes: beyond them each answer costs much.
FROM_TOKENS = 100_000
# Of what a model takes, the share that a history may fill: the rest is for instructions, tools and the answer.
SHARE = 3 / 4
# What is said about tokens where no usage tells: of other scripts than Latin they are fewer characters, of prose more.
CHARACTERS_A_TOKEN = 3
TOKENS_OF_AN_IMAGE = 1_500
# To what lengths single texts of a history that is to be made short are cut, in characters, until it fits.
CUTS = (50_000, 20_000, 8_000, 3_000, 1_000, 300)
# After a summary that came to nothing: by how much the history grows before the next is asked for.
GROWTH = 1.25
ASKED = (
    "This conversation is getting too long and will be replaced by what you write now. Call no tool. Write down for "
    "yourself, in at most 1,000 words: what was found, with names, numbers and addresses as they are; what was done "
    "and must not be done again; what people said; what is left to do."
)


def due_from(window: int | None) -> int:
    """Tokens of a history from which on it is made short, for a model that takes `window` tokens, if that is known."""
    return FROM_TOKENS if window is None else min(FROM_TOKENS, int(window * SHARE))


def length(history: Sequence[Turn]) -> int:
    """Tokens: up to the last answer as its usage tells, from there on by characters.

    0 before the first answer, for then there is nothing to leave out, and for the model that follows a script.
    """
    last = next((turn for turn in reversed(history) if isinstance(turn, Answer)), None)
    if last is None or last.model == scripted.NAME:
        return 0
    tokens = 0
    for turn in reversed(history):
        if isinstance(turn, Answer) and turn.usage.total:
            return tokens + turn.usage.total
        tokens += estimated(turn)
    return tokens


def estimated(turn: Turn) -> int:
    """Tokens, by characters."""
    match turn:
        case Said(text, images):
            return len(text) // CHARACTERS_A_TOKEN + len(images) * TOKENS_OF_AN_IMAGE
        case Returned(results):
            shown = sum(len(result.images) for result in results)
            characters = sum(_characters(result.content) for result in results)
            return characters // CHARACTERS_A_TOKEN + shown * TOKENS_OF_AN_IMAGE
        case Answer():
            return _characters(turn.message) // CHARACTERS_A_TOKEN


def question(asked: Question, most: int | None = None) -> Question:
    """What is asked for, after the history, of which single long texts are cut until it has about `most` tokens.

    The tools stay, for the history refers to them; none may be called.
    """
    history = [*_fitted(asked.history, most or FROM_TOKENS), Said(ASKED)]
    return replace(asked, history=history, must_call=False, may_call=False)


def _fitted(history: Sequence[Turn], most: int) -> Sequence[Turn]:
    if sum(map(estimated, history)) <= most:
        return history
    cut: Sequence[Turn] = history
    for longest in CUTS:
        cut = list(_cut(history, longest))
        if sum(map(estimated, cut)) <= most:
            break
    return cut


def _cut(history: Sequence[Turn], longest: int) -> Iterator[Turn]:
    """The turns without images, and with what is longer cut."""
    for turn in history:
        match turn:
            case Said(text):
                yield Said(_shortened(text, longest))
            case Returned(results):
                yield Returned(
                    [replace(result, content=_shortened(result.content, longest), images=()) for result in results]
                )
            case Answer():
                yield turn


def _shortened(content: Any, longest: int) -> Any:
    return content if _characters(content) <= longest else clipped(content, longest)


def _characters(content: Any) -> int:
    return len(content) if isinstance(content, str) else len(json.dumps(content, ensure_ascii=False, default=str))
