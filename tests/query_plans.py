"""What PostgreSQL makes of the queries that a test runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def plans(table: str) -> Iterator[list[str]]:
    """The plan of every SELECT from the table that runs inside, as PostgreSQL made it."""
    found: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT") and f'FROM "{table}"' in sql:
            with connection.cursor() as cursor:
                cursor.cursor.execute("EXPLAIN (COSTS OFF) " + sql, params)
                found.append("\n".join(row[0] for row in cursor.cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield found
