"""What executionsList costs over a million executions, by each of its filters, with the plan of each."""

import json
import os
import statistics
import subprocess
import sys
from typing import Any

import psycopg

from bench.listed_rows import fill
from bench.mcp_server import ROOT, bench_database, prepared_environment

EXECUTIONS = int(os.environ.get("BENCH_LISTED", "1000000"))
ROUNDS = int(os.environ.get("BENCH_LISTS", "20"))


def main() -> None:
    with bench_database("asterism_bench_lists") as url:
        environment = prepared_environment(url)
        with_django(environment, "people")
        with psycopg.connect(url, autocommit=True) as connection:
            fill(connection, EXECUTIONS)
        report(json.loads(with_django(environment, "measure", str(ROUNDS))))


def report(measured: list[dict[str, Any]]) -> None:
    print(f"\nexecutionsList over {EXECUTIONS:,} executions of one organization, {ROUNDS} rounds")
    print(f"{'filter':<28}{'found':>10}{'p50 ms':>9}{'p95 ms':>9}  plans: of what is found, of the page, of the count")
    for one in measured:
        p95 = statistics.quantiles(one["ms"], n=20)[-1]
        middle = statistics.median(one["ms"])
        print(f"{one['name']:<28}{one['total']:>10,}{middle:>9.1f}{p95:>9.1f}  {'; '.join(one['plans'])}")


def with_django(environment: dict[str, str], *arguments: str) -> str:
    """What `bench.lister` prints."""
    command = [sys.executable, "-m", "bench.lister", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
