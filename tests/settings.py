"""The platform's settings as the tests use them: nothing of the operator's environment or data is touched."""

import os
from pathlib import Path

_OPERATORS = (
    "BROKER_URL", "REDIS_URL", "PUBLIC_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "PORT", "DEBUG",
    "DISCORD_API_URL", "DISCORD_SANDBOX_URL",
    "OUTBOUND_ALLOW_LOCAL", "OUTBOUND_ALLOW_NETWORKS", "OUTBOUND_DENY_NETWORKS",
)  # fmt: skip
for _name in _OPERATORS:
    os.environ.pop(_name, None)
os.environ |= {
    "ASTERISM_ENV": "test",
    "ASTERISM_VAR": str(Path(__file__).resolve().parents[1] / "var" / "test"),
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", ""),
    "SECRET_KEY": "for-tests-alone-" + "x" * 40,
}

from config.settings import *  # noqa: E402, F403

LOCAL_POSTGRES_DURABLE = False
# Tests ask much at once as one person; those of the limits set their own.
CHAT_TURNS_PER_PERSON = CHAT_TURNS_PER_ORGANIZATION = 100
# Hashing is slow on purpose; what tests its strength sets it back.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
