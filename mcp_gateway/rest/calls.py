"""One call of one tool by REST: its function run, its audit entry left behind, its outcome measured."""

import time
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from pydantic import BaseModel

from accounts.caller import Caller
from accounts.errors import DomainError
from mcp_gateway import metrics
from mcp_gateway.rest import answers
from mcp_gateway.rest.answers import Answer
from mcp_gateway.rest.routes import Route, SentFile
from security import audit
from security.audit import Outcome

ACTION = "rest.call"


class Call:
    def __init__(
        self, route: Route, caller: Caller, arguments: BaseModel, files: Sequence[SentFile] | None = None
    ) -> None:
        self.route = route
        self.caller = caller
        self.arguments = arguments
        self.files = files
        self._started = time.perf_counter()

    def run(self) -> Answer:
        """The result, or the service's refusal, as an answer."""
        try:
            # A write and its entry are there together or not at all. What calls out keeps transactions of its own, so
            # that none is open while a stranger's server thinks.
            if self.route.tool.calls_out:
                return self._act()
            with transaction.atomic():
                return self._act()
        except DomainError as error:
            self._record(Outcome.REFUSED, error.code)
            return answers.refusal(error)

    def note_failure(self) -> None:
        """Record that the call ended as nobody foresaw, once nothing of it is left."""
        self._record(Outcome.ERROR, "internal")

    def _act(self) -> Answer:
        if self.route.upload is not None:
            result = self.route.upload(self.caller, self.arguments, self.files or ())
        else:
            result = self.route.tool.function(self.caller, self.arguments)
        self._record(Outcome.OK)
        return answers.result(result)

    def _record(self, outcome: Outcome, code: str = "") -> None:
        took = time.perf_counter() - self._started
        tool = self.route.tool
        metrics.observe("rest", tool.name, outcome.value, code, took)
        audit.record(
            ACTION,
            caller=self.caller,
            tool=tool.name,
            outcome=outcome,
            error_code=code,
            duration_ms=round(took * 1000, 3),
            detail=self._detail(),
        )

    def _detail(self) -> dict[str, Any]:
        sent = self.arguments.model_dump(mode="json", by_alias=True, exclude_unset=True)
        if self.files is not None:
            sent["files"] = [{"name": file.name, "size": file.size} for file in self.files]
        return sent
