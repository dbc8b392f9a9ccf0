"""What of a span may leave the process: what is on a list. Imported only where spans are exported.

The kit writes messages of exceptions and their tracebacks into spans, and those may quote a value that somebody entered
or a row that the database refused. So nothing is taken out; what is known to be harmless is let through.
"""

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

ATTRIBUTES = {
    "asterism.request_id",
    "error.type",
    "gen_ai.operation.name",
    "gen_ai.tool.name",
    "jsonrpc.request.id",
    "mcp.method.name",
    "mcp.protocol.version",
    "rpc.response.status_code",
}
# A name or an id that a client made up may be as long as a body.
LONGEST_TEXT = 128


class ListedSpans(SpanExporter):
    """Hands spans to another exporter, each with its listed attributes and without events, links and messages."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([listed(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()


def listed(span: ReadableSpan) -> ReadableSpan:
    attributes = {name: value for name, value in (span.attributes or {}).items() if name in ATTRIBUTES}
    return ReadableSpan(
        name=span.name[:LONGEST_TEXT],
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes={name: str(value)[:LONGEST_TEXT] for name, value in attributes.items()},
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
