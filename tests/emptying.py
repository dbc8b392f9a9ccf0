"""Emptying the database after a test that committed to it.

Django's flush makes every table and index anew and fills in what migrations do: here only rows are taken out, and only
of tables that have any.
"""

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from accounts.plan_catalogue import fill_catalogue

# What the migrations filled in, and tests only read.
KEPT = {ContentType._meta.db_table, Permission._meta.db_table}
# From here on, a new table is quicker than taking out its rows.
MANY_BYTES = 1024 * 1024

WITH_ROWS = """
SELECT relname, pg_relation_size(oid) FROM pg_class
WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace AND pg_relation_size(oid) > 0
"""


def empty() -> None:
    """Take out all rows, after those who still write have ended, as a flush does."""
    with transaction.atomic(), connection.cursor() as cursor:
        names = connection.introspection.django_table_names(only_existing=False, include_views=False)
        cursor.execute(WITH_ROWS, [sorted(set(names) - KEPT)])
        sizes = dict(cursor.fetchall())
        if not sizes:
            return
        quoted = {name: connection.ops.quote_name(name) for name in sizes}
        cursor.execute(f"LOCK TABLE {', '.join(quoted.values())} IN EXCLUSIVE MODE")
        if many := [quoted[name] for name, size in sizes.items() if size > MANY_BYTES]:
            cursor.execute(f"TRUNCATE {', '.join(many)} CASCADE")
        # Rows go in any order, and nothing is announced of them.
        cursor.execute("SET LOCAL session_replication_role = 'replica'")
        cursor.execute("; ".join(f"DELETE FROM {name}" for name in quoted.values()))
        fill_catalogue(sender=apps.get_app_config("accounts"), using=connection.alias)


def allowed() -> bool:
    """Whether this user of the database may leave triggers out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])
