"""The gateway's one page for machines: its metrics."""

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST

from mcp_gateway import metrics


@require_GET
def show_metrics(request: HttpRequest) -> HttpResponse:
    """What Prometheus scrapes, for whoever shows METRICS_TOKEN; without one set, for this machine only."""
    if not _may_read(request):
        return HttpResponse(
            "Metrics are for this machine, or for whoever shows METRICS_TOKEN as a Bearer token.\n",
            status=403,
            content_type="text/plain",
        )
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(shown.encode(), settings.METRICS_TOKEN.encode())
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
