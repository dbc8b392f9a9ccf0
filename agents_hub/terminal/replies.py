"""How what a turn asks is answered: by whoever sits at the terminal, or as the command was told."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from django import forms

from agents_hub.models import Inquiry
from agents_hub.terminal.lines import Lines
from agents_hub.terminal.screen import Screen
from mcp_gateway.remote.pages.question_forms import question_form

PERMISSIONS = {"o": "once", "once": "once", "a": "always", "always": "always", "d": "deny", "deny": "deny"}
YES, NO = {"y", "yes"}, {"n", "no"}


@dataclass(frozen=True, slots=True)
class Reply:
    action: str
    content: dict[str, Any] = field(default_factory=dict)


class Replies(Protocol):
    async def to(self, inquiry: Inquiry) -> Reply: ...


class Nobodys:
    """Where nobody is there to be asked."""

    def __init__(self, *, allows: bool) -> None:
        self._allows = allows

    async def to(self, inquiry: Inquiry) -> Reply:
        if inquiry.kind == Inquiry.Kind.PERMISSION:
            return Reply("once" if self._allows else "deny")
        return Reply("decline")


class Typed:
    """Of a person. Where nothing more is typed, nothing is allowed."""

    def __init__(self, lines: Lines, screen: Screen) -> None:
        self._lines, self._screen = lines, screen

    async def to(self, inquiry: Inquiry) -> Reply:
        if inquiry.kind == Inquiry.Kind.PERMISSION:
            return await self._permission()
        if inquiry.kind == Inquiry.Kind.PAGE:
            self._screen.note(f"  {inquiry.url}")
            return Reply("accept" if await self._agrees("Did you visit the page? (yes, no) ") else "decline")
        return await self._form(inquiry)

    async def _permission(self) -> Reply:
        while True:
            typed = await self._typed("Allow it (o)nce, (a)lways in this conversation, or (d)eny? ")
            if typed is None:
                return Reply("deny")
            if action := PERMISSIONS.get(typed.strip().lower()):
                return Reply(action)

    async def _form(self, inquiry: Inquiry) -> Reply:
        schema = inquiry.form_schema
        if not await self._agrees(f"Answer {inquiry.asked_by}? (yes, no) "):
            return Reply("decline")
        while True:
            given: dict[str, str | list[str]] = {}
            for key, field_ in question_form(schema).fields.items():
                typed = await self._typed(_asking_for(field_))
                if typed is None:
                    return Reply("cancel")
                given[key] = _as_chosen(field_, typed)
            filled = question_form(schema, given)
            if filled.is_valid():
                return Reply("accept", filled.arguments())
            for key, faults in filled.errors.items():
                self._screen.note(f"  {filled.fields[key].label}: {' '.join(str(fault) for fault in faults)}")

    async def _agrees(self, question: str) -> bool:
        while True:
            typed = await self._typed(question)
            if typed is None or typed.strip().lower() in NO:
                return False
            if typed.strip().lower() in YES:
                return True

    async def _typed(self, question: str) -> str | None:
        self._screen.prompt(f"  {question}")
        typed = None
        try:
            typed = await self._lines.next()
        finally:
            self._screen.is_typed(typed)
        return typed


def _asking_for(asked: forms.Field) -> str:
    choices = [shown for value, shown in getattr(asked, "choices", []) if value]
    several = "several with a comma between" if isinstance(asked, forms.MultipleChoiceField) else ""
    hints = [", ".join(map(str, choices)), several, "" if asked.required else "may be empty"]
    about = "; ".join(filter(None, hints))
    return f"{asked.label}{f' ({about})' if about else ''}: "


def _as_chosen(asked: forms.Field, typed: str) -> str | list[str]:
    """What the form calls the choices that were typed as they are shown, or as they are sent."""
    choices = [(str(value), str(shown)) for value, shown in getattr(asked, "choices", [])]
    by_name = {value.strip('"').lower(): value for value, _ in choices}
    by_name |= {shown.lower(): value for value, shown in choices}
    if isinstance(asked, forms.MultipleChoiceField):
        names = [name.strip() for name in typed.split(",")]
        return [by_name.get(name.lower(), name) for name in names if name]
    return by_name.get(typed.strip().lower(), typed)
