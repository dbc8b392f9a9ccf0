"""The tests' settings for workers that are processes of their own: their messages are with a broker of one test.

That is the one TEST_WORKERS_BROKER names, else a folder. With TEST_WORKERS_LOCAL=1 they may ask what is on loopback.
"""

import os
from pathlib import Path

from config import broker
from tests.settings import *  # noqa: F403

OUTBOUND_ALLOW_LOCAL = os.environ.get("TEST_WORKERS_LOCAL") == "1"

if named := os.environ.get("TEST_WORKERS_BROKER"):
    CELERY_BROKER_URL = named
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600} if named.startswith("redis") else {}
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = broker.options(Path(os.environ["TEST_WORKERS_FOLDER"]) / "broker")
