"""Asking a model from a test, as a product does."""

from asgiref.sync import async_to_sync

from accounts.models import Organization
from llm.services.thinking import Thinker
from llm.turns import Answer, Question, Said, ToolSpec

LOOK = ToolSpec("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}})
# The names of the providers, one of each kind.
KINDS = ["main", "claude", "gemini"]
QUESTION = Question("Be brief.", [Said("Hello?")], tools=[LOOK])


def think(
    organization: Organization, model: str = "", question: Question = QUESTION, *, user_id: int | None = None
) -> tuple[Answer, list[str]]:
    heard: list[str] = []

    async def hear(text: str) -> None:
        heard.append(text)

    async def ask() -> Answer:
        thinker = Thinker(organization_id=organization.pk, user_id=user_id, product="workflows", subject="run")
        return await thinker.ask(model, question, on_text=hear)

    return async_to_sync(ask)(), heard
