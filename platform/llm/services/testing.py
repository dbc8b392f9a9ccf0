"""Testing a provider: one short question to its default model. No transaction is open while it is asked."""

import time
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import DomainError, Throttled
from llm.models import Provider
from llm.services import providers
from llm.services.thinking import Thinker
from llm.turns import Question, Said
from security import audit
from security.audit import Outcome
from security.throttle import Limit

# Each costs money, and is a request to an address that somebody chose.
PACE = Limit("model provider test", 20, 60)
QUESTION = Question("You are being tested. Answer with the one word that is asked for.", [Said("Say: ready")])


@dataclass(frozen=True, slots=True)
class Report:
    ok: bool
    message: str


async def test_provider(caller: Caller, *, provider_id: int) -> Report:
    """Ask the provider's default model, enabled or not, and keep what came of it. For admins; it counts as use."""
    provider = await sync_to_async(_begin)(caller, provider_id)
    thinker = Thinker(organization_id=provider.organization_id, user_id=caller.user_id, product="test")
    began, code = time.monotonic(), ""
    try:
        answer = await thinker.try_out(provider, QUESTION)
    except DomainError as error:
        report, code = Report(ok=False, message=error.message), error.code
    else:
        seconds = time.monotonic() - began
        report = Report(ok=True, message=f"{answer.model} answered in {seconds:.1f} seconds.")
    milliseconds = (time.monotonic() - began) * 1000
    await sync_to_async(_keep)(caller, provider, report, code, milliseconds)
    return report


def _begin(caller: Caller, provider_id: int) -> Provider:
    with transaction.atomic():
        provider = providers.locked_for_admin(caller, provider_id)
    if wait := PACE.hit(str(caller.user_id)):
        raise Throttled(f"Too many tests in a minute. Try again in {wait} seconds.", data={"retry_after": wait})
    return provider


def _keep(caller: Caller, provider: Provider, report: Report, code: str, milliseconds: float) -> None:
    """Remember the result, unless the provider was edited or deleted meanwhile."""
    with transaction.atomic():
        same = Provider.objects.filter(pk=provider.pk, updated_at=provider.updated_at)
        same.update(tested_at=timezone.now(), test_result="" if report.ok else report.message[:500])
        audit.record(
            "model_provider.test",
            caller=caller,
            target=providers.target(provider),
            outcome=Outcome.OK if report.ok else Outcome.ERROR,
            error_code=code,
            duration_ms=round(milliseconds, 3),
            detail={"name": provider.name},
        )
