"""One call of one tool: its arguments validated, its function run where it belongs, and its audit entry left behind."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from mcp_types import CallToolResult
from pydantic import BaseModel, ValidationError

from accounts.caller import Caller
from accounts.errors import DomainError
from mcp_gateway import metrics, results
from mcp_gateway.offload import in_domain
from mcp_gateway.progress import Progress
from mcp_gateway.registry import Tool
from mcp_gateway.trail import Entries
from security import audit
from security.audit import Outcome

ACTION = "mcp.call"


class Call:
    def __init__(self, tool: Tool, caller: Caller, trail: Entries, progress: Progress) -> None:
        self.tool = tool
        self.caller = caller
        self._trail = trail
        self._progress = progress
        self._started = time.perf_counter()

    async def run(self, raw: Mapping[str, Any] | None) -> BaseModel | CallToolResult:
        """The tool's own result, or an error the caller can act on. What nobody foresaw is recorded and raised."""
        if _holds_nul(raw):
            await self._leave_entry(Outcome.REFUSED, "invalid_arguments")
            return results.nul_inside(self.tool)
        try:
            arguments = self.tool.arguments.model_validate(raw or {})
        except ValidationError as error:
            await self._leave_entry(Outcome.REFUSED, "invalid_arguments", {"faults": error.error_count()})
            return results.unfit(self.tool, error)
        detail = arguments.model_dump(mode="json", by_alias=True, exclude_unset=True)
        try:
            result = await self._act(arguments, detail)
        except DomainError as error:
            await self._leave_entry(Outcome.REFUSED, error.code, detail)
            return results.failed(error)
        except asyncio.CancelledError:
            await self._leave_entry(Outcome.ERROR, "cancelled", detail)
            raise
        except Exception:  # whatever it was, the call leaves its entry
            await self._leave_entry(Outcome.ERROR, "internal", detail)
            raise
        if self.tool.read_only:
            await self._leave_entry(Outcome.OK, "", detail)
        else:
            self._measure(Outcome.OK, "")
        return result

    async def _act(self, arguments: BaseModel, detail: dict[str, Any]) -> BaseModel:
        given: list[Any] = [self.caller, arguments]
        if self.tool.reports:
            given.append(self._progress)
        try:
            if self.tool.asynchronous:
                result: BaseModel = await self.tool.function(*given)
            elif self.tool.read_only:
                result = await in_domain(self.tool.function, *given, calls_out=self.tool.calls_out)
            else:
                result = await in_domain(self._write, given, detail, calls_out=self.tool.calls_out)
        finally:
            await self._progress.all_sent()
        return result

    def _write(self, given: list[Any], detail: dict[str, Any]) -> BaseModel:
        """Run a tool that writes, with its entry in the same transaction: neither is there without the other.

        One that calls out keeps transactions of its own, so that none is open while a stranger's server thinks.
        """
        if self.tool.calls_out:
            result: BaseModel = self.tool.function(*given)
            self._record(detail)
            return result
        with transaction.atomic():
            result = self.tool.function(*given)
            self._record(detail)
        return result

    def _record(self, detail: dict[str, Any]) -> None:
        audit.record(ACTION, caller=self.caller, tool=self.tool.name, duration_ms=self._milliseconds(), detail=detail)

    async def _leave_entry(self, outcome: Outcome, code: str, detail: dict[str, Any] | None = None) -> None:
        """Put an entry on the trail: of a read, or of a write that changed nothing or was rolled back."""
        self._measure(outcome, code)
        await self._trail.add(
            partial(
                audit.entry,
                ACTION,
                caller=self.caller,
                tool=self.tool.name,
                outcome=outcome,
                error_code=code,
                duration_ms=self._milliseconds(),
                detail=detail,
            )
        )

    def _measure(self, outcome: Outcome, code: str) -> None:
        took_seconds = time.perf_counter() - self._started
        metrics.observe(self.tool.server, self.tool.name, outcome.value, code, took_seconds)

    def _milliseconds(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 3)


def _holds_nul(value: Any) -> bool:
    """Whether any text inside, names included, holds U+0000: JSON can carry it and PostgreSQL cannot."""
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, Mapping):
        return any(_holds_nul(name) or _holds_nul(item) for name, item in value.items())
    if isinstance(value, list):
        return any(map(_holds_nul, value))
    return False
