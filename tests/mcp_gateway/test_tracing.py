"""Spans on their way to a collector: a real web process, a real call, and OTLP as a collector reads it."""

import http.server
import json
import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.core.exceptions import ImproperlyConfigured
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mcp_gateway import span_list, tracing
from security.models import AuditEntry
from tests.bots.factories import TicketFactory
from tests.factories import UserFactory
from tests.mcp_gateway import door
from tests.mcp_gateway.oauth.running import platform

SECONDS = 30
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SECRET = "hunter2-of-the-harbour"


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes what is posted to /v1/traces."""

    taken: "queue.Queue[ExportTraceServiceRequest]"

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        assert self.headers["Content-Type"] == "application/x-protobuf"
        self.taken.put(ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[http.server.HTTPServer]:
    Collector.taken = queue.Queue()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join(SECONDS)


def attributes(holder: Any) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in holder.attributes}


def call(url: str, key: str, tool: str, **arguments: Any) -> httpx2.Response:
    params = {"name": tool, "arguments": arguments, "_meta": {"traceparent": f"00-{TRACE}-{PARENT}-01"}}
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return httpx2.post(f"{url}{door.PATH}", content=json.dumps(message), headers=headers, timeout=SECONDS)


def test_calls_reach_the_collector_with_their_tool_and_without_their_secrets(
    transactional_db: None, collector: http.server.HTTPServer, tmp_path: Path
) -> None:
    user = UserFactory()
    key = door.api_key(user)
    ticket = TicketFactory(guild__bot__owner=user, subject=SECRET)
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_BSP_SCHEDULE_DELAY": "3600000",  # so that what arrives was sent by the stop
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=harbour",
    }
    with platform(tmp_path, settings) as running:
        answered = call(running.url, key, "ticket.get", ticketId=str(ticket.pk)).json()
        assert SECRET in json.dumps(answered["result"])
        assert call(running.url, key, "ticket.close", ticketId="0", reason=SECRET).json()["result"]["isError"]
        assert call(running.url, key, "no.such.tool" + "x" * 500, note=SECRET).json()["error"]

    sent = Collector.taken.get(timeout=SECONDS)
    (of_platform,) = sent.resource_spans
    described = attributes(of_platform.resource)
    assert (described["service.name"], described["deployment.environment.name"]) == ("asterism", "harbour")
    read, refused, unknown = (span for scope in of_platform.scope_spans for span in scope.spans)
    assert (read.name, read.kind, read.status.code) == (
        "tools/call ticket.get",
        Span.SpanKind.SPAN_KIND_SERVER,
        Status.StatusCode.STATUS_CODE_UNSET,
    )
    assert (read.trace_id.hex(), read.parent_span_id.hex()) == (TRACE, PARENT)
    said = attributes(read)
    assert (said["gen_ai.tool.name"], said["jsonrpc.request.id"]) == ("ticket.get", "7")
    assert said["asterism.request_id"] == AuditEntry.objects.get(tool="ticket.get").request_id
    assert (attributes(refused)["error.type"], refused.status.code) == (
        "tool_error",
        Status.StatusCode.STATUS_CODE_ERROR,
    )
    assert len(unknown.name) == span_list.LONGEST_TEXT
    for secret in (SECRET, key, user.email):
        assert secret.encode() not in sent.SerializeToString()


def test_a_span_leaves_without_what_an_exception_said() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(span_list.ListedSpans(kept)))
    with (
        pytest.raises(ValueError, match=SECRET),
        provider.get_tracer("kit").start_as_current_span(
            "tools/call thing", attributes={"error.type": "ValueError", "arguments": SECRET}
        ),
    ):
        raise ValueError(SECRET)
    (span,) = kept.get_finished_spans()
    assert dict(span.attributes or {}) == {"error.type": "ValueError"}
    assert SECRET not in span.to_json()
    provider.shutdown()


def test_without_what_it_needs_the_setting_says_what_to_install(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:4318"
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
    with pytest.raises(ImproperlyConfigured, match=r"requirements-extras\.txt"):
        tracing.start()
