"""Two questions that a supervisor asks: is the process alive, and can it do its work."""

import logging

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from config import broker

logger = logging.getLogger(__name__)
BROKER_TIMEOUT_SECONDS = 2


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 whenever the process answers at all: a restart would not fix what lies outside it."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database and the broker answer, else 503 that names which does not."""
    parts = {"database": _database_answers(), "broker": _broker_answers()}
    ready = all(parts.values())
    body = {"status": "ok" if ready else "unavailable"} | {name: "ok" if up else "down" for name, up in parts.items()}
    return JsonResponse(body, status=200 if ready else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:  # any failure means: not ready
        logger.exception("The database does not answer")
        return False
    return True


def _broker_answers() -> bool:
    if settings.BROKER_URL == broker.URL:
        return True
    # Anyone may ask, so that the answer is kept for a moment: asking must not cost a connection each time.
    answered = cache.get("broker-answers")
    if answered is None:
        answered = _broker_connects()
        cache.set("broker-answers", answered, timeout=2)
    return bool(answered)


def _broker_connects() -> bool:
    from config.celery import app

    try:
        with app.connection_for_write(connect_timeout=BROKER_TIMEOUT_SECONDS) as channel:
            channel.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_SECONDS)
    except Exception:  # any failure means: not ready
        logger.exception("The broker does not answer")
        return False
    return True
