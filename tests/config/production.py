"""manage.py in production settings, with values of the right form that lead nowhere.

As a program: python -m tests.config.production check --deploy.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "ASTERISM_ENV": "production",
    "SECRET_KEY": "of-the-right-form-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "PUBLIC_URL": "https://asterism.example.com",
    "DATABASE_URL": "postgres://asterism@127.0.0.1:1/asterism",
    "BROKER_URL": "amqp://guest@127.0.0.1:1//",
}


def manage(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with nothing of our own environment but the path; an empty value takes a variable away."""
    environment = {"PATH": os.environ["PATH"]} | ENVIRONMENT | changed
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    done = manage(*sys.argv[1:])
    print(done.stdout + done.stderr, end="")
    sys.exit(done.returncode)
