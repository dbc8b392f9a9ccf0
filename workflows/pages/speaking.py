"""The forms in which people speak to an execution: a message, or the answer to what the agent asks."""

from collections.abc import Mapping
from typing import Any

from django import forms

from workflows.engine.states import Status
from workflows.models import Execution
from workflows.services.wishes import LONGEST_MESSAGE

OWN_WORDS = "In your own words"


class MessageForm(forms.Form):
    message = forms.CharField(
        label="Message",
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write what the agent should know."},
    )

    def text(self) -> str:
        said: str = self.cleaned_data["message"]
        return said


class AnswerForm(forms.Form):
    """A fieldset for each question: its options, where there are any, and room for own words."""

    def __init__(self, data: Mapping[str, Any] | None, *, questions: list[dict[str, Any]]) -> None:
        super().__init__(data)
        self.questions = questions
        for number, question in enumerate(questions):
            own: dict[str, Any] = {"rows": 2}
            if options := question.get("options"):
                self.fields[f"chosen_{number}"] = _choice(question, options)
                # Read out, one such field is told from that of another question.
                own["aria-label"] = f"{OWN_WORDS}: {question['question']}"
            self.fields[f"own_{number}"] = forms.CharField(
                label=OWN_WORDS if options else question["question"],
                required=False,
                max_length=LONGEST_MESSAGE // max(1, len(questions)) - 1_000,
                widget=forms.Textarea(attrs=own),
            )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for number in range(len(self.questions)):
            if f"own_{number}" in given and not self._answer(number):
                self.add_error(f"own_{number}", "Choose an option, or write an answer.")
        return given

    def text(self) -> str:
        """One answer as it is, for what is allowed is allowed by a single word; of several, each after its question."""
        answers = [self._answer(number) for number in range(len(self.questions))]
        if len(answers) == 1:
            return answers[0]
        asked = (question["question"] for question in self.questions)
        return "\n\n".join(f"{question}\n{answer}" for question, answer in zip(asked, answers, strict=True))

    def _answer(self, number: int) -> str:
        chosen = self.cleaned_data.get(f"chosen_{number}") or []
        own = self.cleaned_data.get(f"own_{number}", "").strip()
        return "\n".join([*([chosen] if isinstance(chosen, str) else chosen), *([own] if own else [])])


def form_for(execution: Execution, data: Mapping[str, Any] | None) -> MessageForm | AnswerForm | None:
    """What people can say to it now; nothing once it has ended."""
    if execution.state.is_terminal:
        return None
    questions = (execution.waiting_for or {}).get("questions")
    # A message that was being written when the agent asked is what it then gets for an answer.
    is_message = data is not None and "message" in data
    if execution.state == Status.PAUSED_BY_AGENT and questions and not is_message:
        return AnswerForm(data, questions=questions)
    return MessageForm(data)


def _choice(question: dict[str, Any], options: list[dict[str, str]]) -> forms.ChoiceField:
    choices = [(option["label"], _said(option)) for option in options]
    if question.get("multiSelect"):
        return forms.MultipleChoiceField(
            label=question["question"], required=False, choices=choices, widget=forms.CheckboxSelectMultiple
        )
    return forms.ChoiceField(label=question["question"], required=False, choices=choices, widget=forms.RadioSelect)


def _said(option: dict[str, str]) -> str:
    about = option.get("description")
    return f"{option['label']}: {about}" if about else option["label"]
