"""The protocol's own conformance suite with our connector as the client: toolbox and sign-in, in two processes."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bots.processes import ROOT, database_url
from tests.conformance.node import installed, run

SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
# Extensions of the protocol that we do not claim; docs/adr/0107 has the reasons.
NOT_CLAIMED = {
    "auth/client-credentials-basic",
    "auth/client-credentials-jwt",
    "auth/dpop",
    "auth/dpop-nonce",
    "auth/enterprise-managed-authorization",
    "auth/wif-jwt-bearer",
}
# How many scenarios each run has. The last two are of the revision that had no description of resources.
RUNS = {
    "--requirements 2026-07-28": 32,
    "--requirements 2025-11-25": 18,
    "--suite auth": 14,
    "--suite backcompat": 2,
}
SECONDS = 240
UNSCORED = re.compile(r"^  [✓✗] (\S+) \(", re.M)
SUMMARY = re.compile(r"^([✓✗]) (\S+): \d+ passed, \d+ failed", re.M)
FAILING = re.compile(r"^✗ (\S+): ", re.M)


@contextlib.contextmanager
def connector(path: Path) -> Iterator[None]:
    """A process of ours over the test's database, listening at `path`."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.conformance.connector", str(path)],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
            "TEST_DATABASE_URL": database_url(),
            # The document that the suite expects a client to be.
            "MCP_REMOTE_CLIENT_DOCUMENT_URL": "https://conformance-test.local/client-metadata.json",
        },
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            while (line := process.stdout.readline()) != "ready\n":
                assert line, "the connector did not start"
            yield
        finally:
            process.terminate()


@pytest.mark.faults
@pytest.mark.usefixtures("transactional_db")
def test_the_suite_passes_but_for_extensions_we_do_not_claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = installed(SUITE, "conformance", "the protocol's suite against our connector as the client")
    sockets = [tmp_path / "first", tmp_path / "second"]
    monkeypatch.setenv("CONFORMANCE_CONNECTORS", os.pathsep.join(map(str, sockets)))
    client = f"{sys.executable} -I {Path(__file__).parent / 'client_under_test.py'}"
    with connector(sockets[0]), connector(sockets[1]):
        for which, scenarios in RUNS.items():
            told = run(
                [
                    *command,
                    "client",
                    "--command",
                    client,
                    *which.split(),
                    "--timeout",
                    str(SECONDS * 1000),
                    "--verbose",
                ],
                seconds=SECONDS,
            )
            print(told.stdout, told.stderr)
            unscored = set(UNSCORED.findall(told.stdout))
            outcomes = {name: mark == "✓" for mark, name in SUMMARY.findall(told.stdout) if name not in unscored}
            assert len(outcomes) == scenarios, which
            assert {name for name, good in outcomes.items() if not good} == set(), which
            # What is run for information alone passes too, but for these.
            assert set(FAILING.findall(told.stdout)) <= NOT_CLAIMED, which
