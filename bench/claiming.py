"""What it costs to find whom to refresh: 500 due of a million connections."""

import json
import os
import statistics
import subprocess
import sys
from typing import Any

import psycopg

from bench import wanted
from bench.mcp_server import ROOT, bench_database, prepared_environment

DUE = 500
ROUNDS = int(os.environ.get("BENCH_CLAIMS", "20"))
LIMIT_MS = 20.0

# Everybody at every server, with tokens of the size that real ones have when they are sealed; none is due.
ROWS = """
INSERT INTO mcp_gateway_remoteconnection
    (user_id, server_id, status, error_code, error, provider, issuer, access_token, refresh_token, scope, wanted_scope,
     generation, expires_at, refresh_due_at, attempts, connected_at)
SELECT person.id, server.id, 'connected', '', '', decode(repeat('ab', 500), 'hex'), 'https://id.example.com',
    decode(repeat('cd', 400), 'hex'), decode(repeat('ef', 100), 'hex'), 'read', '', 1,
    now() + interval '2 hours', now() + interval '1 hour' + random() * interval '1 hour', 0, now()
FROM accounts_user person, mcp_gateway_remoteserver server
"""


def main() -> None:
    with bench_database("asterism_bench_connections") as url:
        environment = prepared_environment(url)
        with_django(environment, "people")
        with psycopg.connect(url, autocommit=True) as connection:
            connections = connection.execute(ROWS).rowcount
            connection.execute("VACUUM ANALYZE mcp_gateway_remoteconnection")
        measured = json.loads(with_django(environment, "claim", str(DUE), str(ROUNDS)))
    report(connections, measured)


def report(connections: int, measured: dict[str, Any]) -> None:
    took = sorted(measured["ms"])
    print(f"\nClaiming {DUE} due of {connections:,} connections, {ROUNDS} rounds")
    print(f"median {statistics.median(took):.1f} ms")
    wanted.at_most(f"the longest claim of {DUE} due of {connections:,}", took[-1], LIMIT_MS, "ms")
    print("\n".join(f"    {line}" for line in measured["plan"]))


def with_django(environment: dict[str, str], *arguments: str) -> str:
    """What `bench.claimer` prints."""
    command = [sys.executable, "-m", "bench.claimer", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
