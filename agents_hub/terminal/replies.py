"""How what a turn asks is answered: by whoever sits at the terminal, or as the command was told."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from django import forms

from agents_hub.models import Inquiry
from agents_hub.terminal.lines import Lines
from agents_hub.terminal.screen import Screen
from mcp_gateway.remote.pages.argument_forms import form_for

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
        schema = inquiry.schema or {"type": "object", "properties": {}}
        if not await self._agrees(f"Answer {inquiry.asked_by}? (yes, no) "):
            return Reply("decline")
        while True:
            given: dict[str, str] = {}
            for key, field_ in form_for(schema).fields.items():
                typed = await self._typed(_asking_for(field_))
                if typed is None:
                    return Reply("cancel")
                given[key] = _as_choice(field_, typed)
            filled = form_for(schema, given)
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
        return await self._lines.next()


def _asking_for(asked: forms.Field) -> str:
    choices = [shown for value, shown in getattr(asked, "choices", []) if value]
    hints = [", ".join(map(str, choices)), "" if asked.required else "may be empty"]
    about = "; ".join(filter(None, hints))
    return f"{asked.label}{f' ({about})' if about else ''}: "


def _as_choice(asked: forms.Field, typed: str) -> str:
    """What the form calls the choice that was typed as it is shown."""
    by_shown = {str(shown).lower(): str(value) for value, shown in getattr(asked, "choices", [])}
    return by_shown.get(typed.strip().lower(), typed)
