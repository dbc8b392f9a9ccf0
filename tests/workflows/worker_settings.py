"""The tests' settings for workers that are processes of their own: their messages are in a folder of one test."""

import os
from pathlib import Path

from config import broker
from tests.settings import *  # noqa: F403

CELERY_BROKER_TRANSPORT_OPTIONS = broker.options(Path(os.environ["TEST_WORKERS_FOLDER"]) / "broker")
