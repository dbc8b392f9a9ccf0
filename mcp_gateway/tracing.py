"""Sending the spans of the protocol's kit to a collector, where OTEL_EXPORTER_OTLP_ENDPOINT names one."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def start() -> None:
    """Export spans from now on, if the setting asks for it. The library reads its own OTEL_* variables besides."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the exporter is not installed: "
            "pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
        ) from None
    from opentelemetry import trace

    provider = TracerProvider(resource=Resource.create({"service.name": "asterism"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
