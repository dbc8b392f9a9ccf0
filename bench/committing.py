"""What the database takes for the steps of executions, with no engine around it: the floor that an engine stands on.

As a program it commits so many steps of one execution by the engine's own statement, over bare psycopg.
"""

import json
import subprocess
import sys
import time
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb

COMMITS = 1_000
PROCESSES = 2
READY = "ready\n"


def rate(environment: dict[str, str], executions: list[str], cwd: str) -> float:
    """Commits a second of as many processes as there are executions, begun together."""
    command = [sys.executable, "-m", "bench.committing", environment["DATABASE_URL"]]
    processes = [
        subprocess.Popen(
            [*command, execution], cwd=cwd, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for execution in executions
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == READY
    began = time.monotonic()
    for process in processes:
        process.communicate("go\n", timeout=120)
        if process.returncode:
            raise SystemExit("The floor could not be measured.")
    return COMMITS * len(processes) / (time.monotonic() - began)


def commit_steps(url: str, execution: str) -> None:
    from workflows.engine.statements import Shape, committing

    changed = ("active_seconds", "waiting_for", "variables", "node_id")
    statement = committing(Shape(changed=changed, lines=True, step=True))
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection, connection.cursor() as cursor:
        print(READY, end="", flush=True)
        sys.stdin.readline()
        for number in range(1, COMMITS + 1):
            cursor.execute(statement, _values(execution, number))
            assert cursor.fetchone() is not None


def _values(execution: str, number: int) -> dict[str, Any]:
    """As a step of the benchmark's runs has them."""
    node, last = f"n{number}", {"last": f"n{number}"}
    payloads: list[tuple[str, dict[str, Any]]] = [
        ("step_started", {"stepNumber": number}),
        ("step_completed", {"stepNumber": number}),
        (
            "transitioned_node",
            {"newNodeUUID": node, "newNodeName": node, "newNodeType": "playwright_script", "fromNodeDuration": 0.0},
        ),
    ]
    lines = [
        {"id": str(uuid4()), "place": place, "type": kind, "payload": payload, "display": None}
        for place, (kind, payload) in enumerate(payloads, 1)
    ]
    return {
        "id": execution,
        "fence": 1,
        "lease": 30,
        "count": len(lines),
        "lines": json.dumps(lines),
        "set_active_seconds": 0.1,
        "set_waiting_for": None,
        "set_variables": Jsonb(last),
        "set_node_id": node,
        "number": number,
        "node_id": node,
        "node_name": node,
        "node_type": "playwright_script",
        "output": Jsonb(last),
        "summary": "",
        "succeeded": True,
        "seconds": 0.001,
    }


if __name__ == "__main__":
    import django

    django.setup()
    commit_steps(*sys.argv[1:])
