"""What a call of a remote tool costs through the toolbox, beside the same call made with the SDK's own client.

Both are made in one process, in turns, to one server: FastMCP with a tool that does nothing. Through the toolbox a call
is also judged by the outbound guard, bounded, recorded in the audit and on the server's page.
"""

import json
import os
import statistics
import subprocess
import sys

from bench import wanted
from bench.mcp_server import ROOT, bench_database, prepared_environment, served, theirs

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
MOST_ADDED_MS, LEAST_RATE = 5.0, 200.0


def main() -> None:
    with bench_database("asterism_bench_calls") as url, served(theirs(), dict(os.environ)) as port:
        environment = {**prepared_environment(url), "OUTBOUND_ALLOW_LOCAL": "true"}
        command = [sys.executable, "-m", "bench.caller", f"http://127.0.0.1:{port}/mcp", str(ROUNDS)]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    report({what: statistics.median(values) for what, values in json.loads(done.stdout.splitlines()[-1]).items()})


def report(median: dict[str, float]) -> None:
    print(f"\nA remote tool called, median of {ROUNDS} rounds{'toolbox':>12}{'SDK':>10}{'added':>12}")
    for what, key in ("a call, one by one", "p50"), ("connect, call, close", "whole p50"):
        ours, direct = median[f"toolbox {key}"], median[f"direct {key}"]
        print(f"{what:<44}{ours:>9.2f} ms{direct:>7.2f} ms{ours - direct:>9.2f} ms")
    print(f"{'calls/s, 16 at once':<44}{median['toolbox rate']:>12.0f}{median['direct rate']:>10.0f}")
    added = median["toolbox p50"] - median["direct p50"]
    wanted.at_most("added by the toolbox to a call", added, MOST_ADDED_MS, "ms")
    wanted.at_least("calls through the toolbox, 16 at once", median["toolbox rate"], LEAST_RATE, "a second")


if __name__ == "__main__":
    main()
