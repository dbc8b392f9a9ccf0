"""Sending the spans of the protocol's kit to a collector by OTLP over HTTP, and nothing in them that may be a secret.

OTEL_EXPORTER_OTLP_ENDPOINT turns it on. The libraries it needs are in `requirements-extras.txt`, and read their own
OTEL_* variables besides. Only the web process exports.
"""

import threading
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from opentelemetry import trace

# How long a normal stop waits for a collector to take the last spans; one that is away must not hold it up.
STOP_SECONDS = 2.0

_stop: list[Callable[[], None]] = []


def start() -> None:
    """Export spans from now on, if the setting asks for it."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from mcp_gateway.span_list import ListedSpans
    except ImportError:
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and what it needs is not installed: "
            "pip install --no-deps --require-hashes -r requirements-extras.txt"
        ) from None
    ours = Resource.create({"service.name": "asterism", "service.version": settings.VERSION})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(ListedSpans(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)
    _stop.append(provider.shutdown)


def stop() -> None:
    """Send what is left. Spans that the collector does not take in time are lost."""
    while _stop:
        last = threading.Thread(target=_stop.pop(), name="last spans", daemon=True)
        last.start()
        last.join(STOP_SECONDS)


def name_request(request_id: str) -> None:
    """Write into the span at hand under which id the logs and the audit have this request."""
    trace.get_current_span().set_attribute("asterism.request_id", request_id)
