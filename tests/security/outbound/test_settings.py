"""What an operator sets, read from the environment by a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import json
from config import settings
print(json.dumps([settings.OUTBOUND_ALLOW_LOCAL, settings.OUTBOUND_ALLOW_NETWORKS, settings.OUTBOUND_DENY_NETWORKS]))
"""
PRODUCTION = {
    "ASTERISM_ENV": "production",
    "SECRET_KEY": "x" * 50,
    "ENCRYPTION_KEYS": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=",
    "PUBLIC_URL": "https://asterism.example.com",
    "DATABASE_URL": "postgres://127.0.0.1/asterism",
    "BROKER_URL": "amqp://127.0.0.1",
}


def read(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What a process with this environment alone reads."""
    ours = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
        "ASTERISM_VAR": str(folder),
    }
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=ours | environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_local_servers_are_open_in_development_and_closed_in_production(tmp_path: Path) -> None:
    assert json.loads(read(tmp_path, {}).stdout) == [True, [], []]
    assert json.loads(read(tmp_path, PRODUCTION).stdout) == [False, [], []]


def test_networks_are_opened_and_closed_by_name(tmp_path: Path) -> None:
    chosen = {"OUTBOUND_ALLOW_NETWORKS": "10.20.0.0/16, fd12::/32", "OUTBOUND_DENY_NETWORKS": "93.184.216.0/24"}
    shown = json.loads(read(tmp_path, PRODUCTION | chosen).stdout)
    assert shown == [False, ["10.20.0.0/16", "fd12::/32"], ["93.184.216.0/24"]]


@pytest.mark.parametrize("name", ["OUTBOUND_ALLOW_NETWORKS", "OUTBOUND_DENY_NETWORKS"])
def test_a_network_that_is_none_stops_the_start_and_is_named(tmp_path: Path, name: str) -> None:
    refused = read(tmp_path, {name: "10.20.0.0/16,intranet"})
    assert refused.returncode != 0
    assert f"{name}: 'intranet'" in refused.stderr
