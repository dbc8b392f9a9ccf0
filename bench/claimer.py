"""Makes a thousand people and as many servers (`people`), or claims due connections (`claim DUE ROUNDS`), as JSON."""

import json
import sys
import time

import django

PEOPLE = 1_000
AS_MANY_DUE = """
    UPDATE mcp_gateway_remoteconnection SET refresh_due_at = now() - random() * interval '10 seconds'
    WHERE id IN (SELECT id FROM mcp_gateway_remoteconnection WHERE refresh_due_at > now() ORDER BY random() LIMIT %s)
"""
DONE = """
    UPDATE mcp_gateway_remoteconnection
    SET refresh_due_at = now() + interval '1 hour', lease_until = NULL, lease_holder = NULL
    WHERE refresh_due_at <= now()
"""


def make_people() -> None:
    from accounts.models import Organization, User
    from mcp_gateway.models import RemoteServer

    numbers = range(PEOPLE)
    organization = Organization.objects.create(name="Bench", slug="bench")
    User.objects.bulk_create(User(email=f"bench{number}@example.com") for number in numbers)
    RemoteServer.objects.bulk_create(
        RemoteServer(
            pk=number + 1,
            organization=organization,
            name=f"Server {number}",
            slug="server",
            url="https://mcp.example.com/mcp",
            auth_type="oauth",
            client_mode="dynamic",
        )
        for number in numbers
    )


def claim(due: int, rounds: int) -> dict[str, object]:
    from django.db import connection, transaction

    from mcp_gateway.remote import leases

    took = []
    with connection.cursor() as cursor:
        for _ in range(rounds):
            cursor.execute(AS_MANY_DUE, [due])
            before = time.perf_counter()
            claimed = leases.claim_due(due)
            took.append((time.perf_counter() - before) * 1000)
            if len(claimed) != due:
                raise SystemExit(f"{len(claimed)} of {due} were claimed")
            cursor.execute(DONE)
        cursor.execute(AS_MANY_DUE, [due])
        with transaction.atomic():
            cursor.execute("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) " + leases._CLAIM, [leases.HANDED_OUT_SECONDS, due])
            plan = [row[0] for row in cursor.fetchall()]
            transaction.set_rollback(True)
    return {"ms": took, "plan": plan}


if __name__ == "__main__":
    django.setup()
    match sys.argv[1:]:
        case ["people"]:
            make_people()
        case ["claim", due, rounds]:
            print(json.dumps(claim(int(due), int(rounds))))
