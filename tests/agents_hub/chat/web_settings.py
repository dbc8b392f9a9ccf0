"""The tests' settings for web processes of their own: they reach servers on loopback, and listen on a given port."""

import os

from tests.settings import *  # noqa: F403

PORT = int(os.environ["TEST_WEB_PORT"])
OUTBOUND_ALLOW_LOCAL = True
