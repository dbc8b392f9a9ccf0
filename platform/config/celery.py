"""Background work: the Celery application and the schedule that the apps' `tasks` modules make together.

The row is the truth, the message a nudge: a task takes ids only, claims its row, and may run twice. What a crash loses
between the broker and the row is found again by the owner's sweep, an entry of the schedule like any other.

An app's tasks stand in `<app>/tasks.py`, with `BEAT`, a dict in the form of Celery's `beat_schedule`, beside them.
"""

import os
import warnings
from importlib import import_module
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from celery import Celery, signals
from celery.platforms import SecurityWarning  # type: ignore[attr-defined]
from django.apps import apps
from django.conf import settings
from django.utils.module_loading import module_has_submodule
from kombu.transport import TRANSPORT_ALIASES

# Celery warns of a worker run by root because of pickled messages; ours are JSON, and nothing else is accepted.
warnings.filterwarnings("ignore", category=SecurityWarning)
TRANSPORT_ALIASES["filesystem"] = "config.broker:Transport"
TRANSPORT_ALIASES["redis"] = TRANSPORT_ALIASES["rediss"] = "config.redis_broker:Transport"

app = Celery("asterism")
# In every thread: without this a request that sends a task would send it by an application of the library's own.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class ScheduledTwiceError(Exception):
    """Two apps gave one name to an entry of the schedule."""


def schedule() -> dict[str, Any]:
    """The `BEAT` entries of every app's tasks."""
    entries: dict[str, Any] = {}
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, "tasks"):
            own = getattr(import_module(f"{config.name}.tasks"), "BEAT", {})
            if twice := entries.keys() & own.keys():
                raise ScheduledTwiceError(
                    f"{config.name}.tasks.BEAT names {sorted(twice)}, which another app has; rename it."
                )
            entries |= own
    return entries


@app.on_after_finalize.connect
def _fill_in_the_schedule(sender: Celery, **kwargs: Any) -> None:
    if apps.ready:
        sender.conf.beat_schedule = schedule()


@signals.setup_logging.connect
def _keep_djangos_logging(**kwargs: Any) -> None:
    """A receiver here makes Celery leave logging as settings.LOGGING has it."""
    from logging.config import dictConfig

    dictConfig(settings.LOGGING)
