"""How log lines look: for people in development, JSON in production, the request's id in both."""

import logging
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from security import request_id, withheld

ROUTINE_OF_TASKS = ("celery.beat", "celery.app.trace", "celery.worker.strategy")


class WithRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.current()
        return True


class Readable(logging.Formatter):
    """Level, logger and message, with the request's id at the end where there is one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", datefmt="%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return withheld.taken_out(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        known = getattr(record, "request_id", "")
        return super().formatMessage(record) + (f" [{known}]" if known else "")


class ForMachines(JsonFormatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return withheld.taken_out(super().format(record))


def configuration(*, json: bool, level: str) -> dict[str, Any]:
    """The value of Django's LOGGING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": "config.logs.WithRequestId"}},
        "formatters": {
            "readable": {"()": "config.logs.Readable"},
            "json": {
                "()": "config.logs.ForMachines",
                "format": "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s",
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
            },
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "filters": ["request_id"],
                "formatter": "json" if json else "readable",
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
        # Django's own loggers end at the root, not in a mail to nobody.
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "level": "INFO", "propagate": True},
            # Each failed sign-in or missing page is an answer, not an event.
            "django.request": {"level": "ERROR"},
            "uvicorn.error": {"level": "INFO"},
            "uvicorn.access": {"level": "WARNING"},
            "celery": {"level": "INFO"},
            # Each task as it is due, taken and done, every few seconds: who runs the platform reads of failures alone.
            **{name: {"level": "INFO" if json else "WARNING"} for name in ROUTINE_OF_TASKS},
            # It logs every address it asks for, with what a query may hold.
            "httpx2": {"level": "WARNING"},
            # Of remote servers it logs session ids, and what it could not read with a stack trace; callers are told.
            "mcp.client": {"level": "CRITICAL"},
        },
    }
