"""What the model is told of a conversation: the messages of the branch shown, and what was done to answer them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from agents_hub.chat import attached
from agents_hub.chat.outcomes import result_known
from agents_hub.chat.texts import joined
from agents_hub.models import Message, Speaker, ToolUse, Turn, TurnStep
from agents_hub.services.attachments import of_messages
from llm.storing import answer_from
from llm.turns import Answer, Returned, Said, ToolResult
from llm.turns import Turn as Told


@dataclass
class Steps:
    """A turn's own steps, as far as it has come."""

    told: list[Told] = field(default_factory=list)
    # What the model wrote in each round, which a summary does not take from people.
    texts: list[str] = field(default_factory=list)
    # How many were stored, how many of them are answers, and the last answer while its calls have no results.
    count: int = 0
    answers: int = 0
    open: Answer | None = None

    def answer(self, answer: Answer) -> None:
        self.count += 1
        self.answers += 1
        self.told.append(answer)
        self.texts.append(answer.text)
        self.open = answer if answer.calls else None

    def results(self, results: Sequence[ToolResult]) -> None:
        self.count += 1
        self.told.append(Returned(list(results)))
        self.open = None

    def summary(self, text: str) -> None:
        """What was before, in short; it stands for all of it."""
        self.count += 1
        self.told = [Said(text)]

    @property
    def starts_anew(self) -> bool:
        """Whether a summary stands for everything before this turn."""
        return bool(self.told) and isinstance(self.told[0], Said)

    @property
    def is_done(self) -> bool:
        """Whether the turn was answered: the last answer calls for nothing more, and something was said."""
        return bool(self.told) and isinstance(self.told[-1], Answer) and self.open is None and bool(self.text)

    @property
    def text(self) -> str:
        """What people read of it."""
        return self.text_with("")

    def text_with(self, more: str) -> str:
        """What people read of it, and of what comes after that."""
        return joined([*self.texts, more])


def steps_of(rows: Iterable[TurnStep]) -> Steps:
    steps = Steps()
    for row in rows:
        match TurnStep.Kind(row.kind):
            case TurnStep.Kind.ANSWER:
                steps.answer(answer_from(row.body))
            case TurnStep.Kind.RESULTS:
                steps.results([ToolResult(**result) for result in row.body["results"]])
            case TurnStep.Kind.SUMMARY:
                steps.summary(row.body["text"])
    return steps


def steps_by_answer(messages: Sequence[UUID]) -> dict[UUID, Steps]:
    """The steps of the turns that gave these answers, by the answer's id; in two queries, however many."""
    turns = dict(Turn.objects.filter(answer__in=messages).values_list("pk", "answer_id"))
    rows: dict[UUID, list[TurnStep]] = {}
    for row in TurnStep.objects.filter(turn__in=turns).order_by("turn_id", "number"):
        rows.setdefault(turns[row.turn_id], []).append(row)
    return {answer: steps_of(found) for answer, found in rows.items()}


def told_before(messages: Sequence[Message]) -> list[Told]:
    """The history that these messages make, oldest first; what a summary stands for is left out, and not read."""
    messages = _since_summary(messages)
    steps = steps_by_answer([message.pk for message in messages if message.speaker == Speaker.AGENT])
    uses = _last_uses(steps)
    asked = [message.pk for message in messages if message.speaker == Speaker.PERSON]
    files = of_messages(asked, with_text=True)
    seen = attached.shown_of([file for message in asked for file in files[message]])
    told: list[Told] = []
    for message in messages:
        if message.speaker == Speaker.PERSON:
            told.append(attached.said(message.text, files[message.pk], seen))
        elif (done := steps.get(message.pk)) is not None:
            if done.starts_anew:
                told = []
            told += closed(done, uses.get(message.pk, {}))
    return told


def _since_summary(messages: Sequence[Message]) -> Sequence[Message]:
    """From the last answer on in which the history was made short; its summary stands for what came before."""
    answers = [message.pk for message in messages if message.speaker == Speaker.AGENT]
    summaries = TurnStep.objects.filter(turn__answer__in=answers, kind=TurnStep.Kind.SUMMARY)
    short = set(summaries.values_list("turn__answer", flat=True))
    return messages[max((place for place, one in enumerate(messages) if one.pk in short), default=0) :]


def closed(steps: Steps, uses: Mapping[int, ToolUse]) -> list[Told]:
    """The steps such that another question can follow: calls whose results were not kept get what is known of them.

    `uses` are the calls of the last round, by their place.
    """
    if steps.open is None:
        return list(steps.told)
    results = [result_known(call, uses.get(place)) for place, call in enumerate(steps.open.calls, 1)]
    return [*steps.told, Returned(results)]


def _last_uses(steps: Mapping[UUID, Steps]) -> dict[UUID, dict[int, ToolUse]]:
    """Of answers that ended within a round, its calls, by the answer's id and their place."""
    ended = {answer: one.answers for answer, one in steps.items() if one.open is not None}
    found: dict[UUID, dict[int, ToolUse]] = {}
    if ended:
        for use in ToolUse.objects.filter(turn__answer__in=ended).select_related("turn"):
            if use.round == ended[use.turn.answer_id]:
                found.setdefault(use.turn.answer_id, {})[use.place] = use
    return found
