"""Thinking for somebody: which model is asked, whether they may, and what it costs them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db.models import Sum
from django.utils import timezone

from accounts.errors import Invalid, PlanLimit, Unavailable
from accounts.services import plans
from llm import estimates, scripted
from llm.asking import TIMEOUT, Chosen, ModelBrokeOff, ModelRefused, OnText, ask
from llm.models import Budget, Kind, ModelCall, Price, Provider
from llm.turns import Answer, Question, Usage
from security import outbound

if TYPE_CHECKING:
    from pydantic_ai.models import Model

# The way from an event loop into the synchronous domain.
Hop = Callable[..., Awaitable[Any]]
# Is told what a question used that has no answer, and which model was asked.
OnLost = Callable[[str, Usage], None]

MILLION = 1_000_000
# An answer may take minutes, and a model that thinks first, or has to be loaded, says nothing for most of them. What
# comes in one piece is bounded all the same.
BOUNDS = outbound.Bounds(read=TIMEOUT, total=TIMEOUT, event_stream_idle=TIMEOUT, body_bytes=32 * 1_048_576)


async def _in_the_thread_that_called(function: Callable[..., Any], *arguments: object) -> Any:
    """For a loop that was begun by synchronous code: its thread waits, and has the connection."""
    return await sync_to_async(function)(*arguments)


class Thinker:
    """Asks models for one organization and person, and accounts for each answer. One for each piece of work."""

    def __init__(
        self,
        *,
        organization_id: int,
        user_id: int | None,
        product: str,
        subject: str | UUID = "",
        hop: Hop | None = None,
    ) -> None:
        """`hop` runs what reads and writes the database where the event loop is not the database's thread."""
        self._hop = hop or _in_the_thread_that_called
        self.organization_id = organization_id
        self.user_id = user_id
        self.product = product
        self.subject = str(subject)

    async def ask(
        self, model: str, question: Question, *, on_text: OnText | None = None, on_lost: OnLost | None = None
    ) -> Answer:
        """The answer of `provider:model`, of the provider's own model for `provider`, of the default one for nothing.

        Its cost is by the operator's own price where there is one. A question that is cancelled, or whose answer breaks
        off, is accounted for by estimate, of which `on_lost` is told: the provider read it and began to answer.

        Without any provider the scripted model answers. Raises `PlanLimit` before asking where a quota is reached,
        `Invalid` for a provider there is not, `Unavailable` where neither it nor its fallback answers.
        """
        provider = await self._hop(self._provider, model)
        if provider is None:
            answer = scripted.answer(question)
            if on_text is not None and answer.text:
                await on_text(answer.text)
            return answer
        await self._hop(self._require_quota)
        name = model.partition(":")[2] or provider.default_model
        try:
            return await self._ask(provider, name, question, on_text, on_lost)
        except (ModelRefused, ModelBrokeOff):
            raise
        except Unavailable:
            other = provider.fallback_model
            if not other or other == f"{provider.name}:{name}":
                raise
        second = await self._hop(self._provider, other)
        if second is None:
            raise Unavailable(f"{provider.name}:{name} does not answer, and its fallback {other} is not configured.")
        return await self._ask(second, other.partition(":")[2] or second.default_model, question, on_text, on_lost)

    async def try_out(self, provider: Provider, question: Question) -> Answer:
        """The answer of this provider's own model, enabled or not, and of no other. It counts like any."""
        await self._hop(self._require_quota)
        return await self._ask(provider, provider.default_model, question, None)

    async def _ask(
        self,
        provider: Provider,
        name: str,
        question: Question,
        on_text: OnText | None,
        on_lost: OnLost | None = None,
    ) -> Answer:
        began = time.monotonic()
        asked = f"{provider.name}:{name}"
        written = 0

        async def pass_on(text: str) -> None:
            nonlocal written
            written += len(text)
            if on_text is not None:
                await on_text(text)

        async def account(used: Usage) -> Usage:
            milliseconds = (time.monotonic() - began) * 1000
            cost_usd = await self._hop(self._account, provider.kind, name, asked, used, milliseconds)
            return replace(used, cost_usd=cost_usd)

        async with outbound.async_client(BOUNDS) as client:
            chosen = Chosen(asked, build(provider, name, client))
            try:
                answer = await ask(chosen, question, on_text=None if on_text is None else pass_on)
            except (asyncio.CancelledError, Unavailable) as fault:
                if _was_read(fault):
                    lost = await account(estimates.usage(chosen.model, question, written))
                    if on_lost is not None:
                        on_lost(asked, lost)
                raise
        return replace(answer, usage=await account(answer.usage))

    def _provider(self, model: str) -> Provider | None:
        name = model.partition(":")[0]
        if name == scripted.NAME:
            return None
        providers = Provider.objects.filter(organization_id=self.organization_id)
        found = providers.meant_by(model)
        if found is None and name and providers.filter(enabled=True).exists():
            raise Invalid(f"The organization has no provider “{name}” that is enabled. Add it under Models.")
        return found

    def _require_quota(self) -> None:
        if self.user_id is not None:
            plans.require_tokens(self.user_id)
        budget = Budget.objects.filter(organization_id=self.organization_id).first()
        if budget is not None and spent_this_month(self.organization_id) >= budget.monthly_usd:
            raise PlanLimit(
                f"This month's budget for models, ${budget.monthly_usd}, is used up. An administrator can raise it "
                "under Models.",
                data={"limit": "model_budget", "allowed": str(budget.monthly_usd)},
            )

    def _account(self, kind: str, name: str, asked: str, used: Usage, milliseconds: float) -> Decimal | None:
        """What it cost, which is noted with what it used."""
        cost_usd = cost(kind, name, used)
        ModelCall.objects.create(
            organization_id=self.organization_id,
            user_id=self.user_id,
            model=asked,
            product=self.product,
            subject=self.subject,
            input_tokens=used.input,
            cached_tokens=used.cached,
            output_tokens=used.output,
            cost_usd=cost_usd,
            duration_ms=milliseconds,
        )
        if self.user_id is not None:
            plans.record_tokens(self.user_id, self.product, used.total)
        return cost_usd


def _was_read(fault: BaseException) -> bool:
    """Whether a question without an answer was at work: it was cancelled, its answer broke off, or it took too long."""
    return isinstance(fault, asyncio.CancelledError | ModelBrokeOff) or (
        isinstance(fault, Unavailable) and fault.code == "model_timeout"
    )


def spent_this_month(organization_id: int) -> Decimal:
    """US dollars since the first of the month, UTC."""
    calls = ModelCall.objects.filter(organization_id=organization_id, at__gte=first_of_month())
    return calls.aggregate(sum=Sum("cost_usd"))["sum"] or Decimal(0)


def first_of_month() -> datetime:
    return timezone.now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def cost(kind: str, name: str, used: Usage) -> Decimal | None:
    """By the operator's own price where there is one, else as the library knows it."""
    own = Price.objects.filter(model=f"{kind}:{name}").first()
    if own is None:
        return used.cost_usd
    cached_price = own.input_usd if own.cached_input_usd is None else own.cached_input_usd
    fresh = used.input - used.cached
    return (fresh * own.input_usd + used.cached * cached_price + used.output * own.output_usd) / MILLION


def build(provider: Provider, name: str, client: outbound.AsyncOutboundClient) -> "Model":
    """The library's model, whose every request goes through the guard."""
    key, base = provider.api_key or "none", provider.base_url or None
    match Kind(provider.kind):
        case Kind.ANTHROPIC:
            from pydantic_ai.models.anthropic import AnthropicModel
            from pydantic_ai.providers.anthropic import AnthropicProvider

            return AnthropicModel(name, provider=AnthropicProvider(api_key=key, base_url=base, http_client=client))
        case Kind.GOOGLE:
            from pydantic_ai.models.google import GoogleModel
            from pydantic_ai.providers.google import GoogleProvider

            return GoogleModel(name, provider=GoogleProvider(api_key=key, base_url=base, http_client=client))
        case Kind.OPENAI | Kind.COMPATIBLE:
            from pydantic_ai.models.openai import OpenAIChatModel
            from pydantic_ai.providers.openai import OpenAIProvider

            return OpenAIChatModel(name, provider=OpenAIProvider(api_key=key, base_url=base, http_client=client))
