"""The connections of clients to the test's database; what it does for itself, as to tidy up, is none of them."""

from django.db import connection

CLIENTS = "FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"


def connection_count() -> int:
    """All of them, this one too."""
    return _count("")


def listening_count() -> int:
    """Those that listen for notices: one a web process."""
    return _count("AND application_name = 'asterism-notices'")


def _count(condition: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {CLIENTS} {condition}")
        return int(cursor.fetchone()[0])
