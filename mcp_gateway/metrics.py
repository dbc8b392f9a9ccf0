"""What Prometheus is told: calls, errors and latency by tool, and how the endpoint refused."""

import os
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

# From a read of one row to a call of a slow service.
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_here = CollectorRegistry()
calls = Counter("mcp_tool_calls", "Tool calls by how they ended.", ["server", "tool", "outcome"], registry=_here)
errors = Counter(
    "mcp_tool_errors",
    "Tool calls that did not end well, by the error's code.",
    ["server", "tool", "code"],
    registry=_here,
)
seconds = Histogram(
    "mcp_tool_seconds", "How long tool calls took.", ["server", "tool"], buckets=BUCKETS, registry=_here
)
refusals = Counter("mcp_refusals", "Requests refused before a message was read.", ["server", "code"], registry=_here)


@cache
def _children(server: str, tool: str, outcome: str) -> tuple[Counter, Histogram]:
    return calls.labels(server, tool, outcome), seconds.labels(server, tool)


def observe(server: str, tool: str, outcome: str, code: str, took_seconds: float) -> None:
    """Count a call that ended, under the error's code if it did not end well."""
    count, histogram = _children(server, tool, outcome)
    count.inc()
    histogram.observe(took_seconds)
    if code:
        errors.labels(server, tool, code).inc()


def exposition() -> bytes:
    """The text Prometheus scrapes: of all processes where PROMETHEUS_MULTIPROC_DIR is set, else of this one."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(_here)
    everywhere = CollectorRegistry()
    MultiProcessCollector(everywhere)  # type: ignore[no-untyped-call]
    return generate_latest(everywhere)
