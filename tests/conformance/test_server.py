"""The protocol's own conformance suite against our serving path, keys included: a relay adds the header."""

import re
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.conformance import toolset
from tests.conformance.node import installed, run
from tests.conformance.relay import relay
from tests.factories import UserFactory
from tests.mcp_gateway import door

SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
# Before 2026-07-28 these ask the client something in the middle of a call, and its answer comes in another request: a
# server that keeps no session cannot tie the two together. docs/adr/0051 says why there is none.
NEED_A_SESSION = {
    "tools-call-sampling",
    "tools-call-elicitation",
    "elicitation-sep1034-defaults",
    "elicitation-sep1330-enums",
}
SECONDS = 240
# Run for information by the suite, and not part of what the revision requires.
UNSCORED = re.compile(r"^  [✓✗] ([a-z0-9-]+) \(", re.M)
SUMMARY = re.compile(r"^[✓✗] ([a-z0-9-]+): \d+ passed, (\d+) failed", re.M)


@pytest.mark.parametrize(
    ("revision", "scenarios", "failing"), [("2026-07-28", 37, set()), ("2025-11-25", 30, NEED_A_SESSION)]
)
@pytest.mark.filterwarnings("ignore:The logging capability is deprecated")
@pytest.mark.usefixtures("transactional_db")
def test_the_suite_passes_but_for_what_needs_a_session(
    revision: str, scenarios: int, failing: set[str], settings: Settings, tmp_path: Path
) -> None:
    command = installed(SUITE, "conformance", f"the protocol's suite of {revision} against our serving path")
    settings.MCP_SERVER_RATE_PER_MINUTE = 0
    served = door.endpoint("conformance", toolset.registry)
    toolset.extend(served.server)
    with door.live(served) as live, relay(live.url, door.api_key(UserFactory())) as url:
        told = run([*command, "server", "--url", url, "--requirements", revision, "-o", str(tmp_path)], seconds=SECONDS)
    unscored = set(UNSCORED.findall(told.stdout))
    outcomes = {name: failed == "0" for name, failed in SUMMARY.findall(told.stdout) if name not in unscored}
    print(told.stdout, told.stderr)
    assert len(outcomes) == scenarios
    assert {name for name, good in outcomes.items() if not good} == failing
