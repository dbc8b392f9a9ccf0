"""A breaker for each issuer: a provider that fails is left alone for a while, by all workers.

Five failures in a row close it. When its time is over one request goes through as a probe; how that fares opens it
again or closes it for longer. An answer with a Retry-After closes it at once, but never for longer than failures do:
what one organization's client was told to wait need not hold for another's. Its state is a row, its clock the
database's.
"""

from dataclasses import dataclass

from django.db import connection

from mcp_gateway.models import RemoteIssuer

FAILURES = 5
FIRST_CLOSED_SECONDS = 15.0
LONGEST_CLOSED_SECONDS = 600.0
# How long everybody else waits for the probe's outcome: longer than one exchange takes.
PROBE_SECONDS = 30.0

# Whoever finds the time over sets it anew, and is thereby the only one to go through.
_PROBE = """
    UPDATE mcp_gateway_remoteissuer
    SET closed_until = clock_timestamp() + make_interval(secs => %(probe)s), updated_at = clock_timestamp()
    WHERE issuer = %(issuer)s AND closed_until <= clock_timestamp()
"""
_WAIT = """
    SELECT extract(epoch FROM closed_until - clock_timestamp())::float8 FROM mcp_gateway_remoteissuer
    WHERE issuer = %(issuer)s AND closed_until > clock_timestamp()
"""
# Failures of requests that were on their way when it closed say nothing new; only the probe's counts then. It stays
# closed for twice as long with each, up to the longest, between half and all of that.
_FAILED = """
    INSERT INTO mcp_gateway_remoteissuer AS i (issuer, failures, closed_until, updated_at)
    VALUES (%(issuer)s, 1, clock_timestamp() + make_interval(secs => %(retry_after)s), clock_timestamp())
    ON CONFLICT (issuer) DO UPDATE SET
        failures = i.failures + 1,
        closed_until = CASE
            WHEN %(retry_after)s::float8 IS NOT NULL THEN
                GREATEST(i.closed_until, clock_timestamp() + make_interval(secs => %(retry_after)s))
            WHEN i.failures + 1 >= %(enough)s THEN clock_timestamp() + make_interval(secs =>
                LEAST(%(longest)s, %(first)s * power(2, LEAST(i.failures + 1 - %(enough)s, 20)))
                * (0.5 + random() / 2))
        END,
        updated_at = clock_timestamp()
    WHERE i.closed_until IS NULL OR %(probe)s OR %(retry_after)s::float8 IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether an issuer may be asked: `wait` is 0 where it may, else the seconds until somebody may try."""

    issuer: str
    wait: float = 0.0
    probe: bool = False


def admit(issuer: str) -> Admission:
    """Whether to ask the issuer now. Who gets `wait` 0 says afterwards how it went: `failed`, or `answered`."""
    with connection.cursor() as cursor:
        cursor.execute(_PROBE, {"issuer": issuer, "probe": PROBE_SECONDS})
        if cursor.rowcount:
            return Admission(issuer, probe=True)
        cursor.execute(_WAIT, {"issuer": issuer})
        row = cursor.fetchone()
    return Admission(issuer, wait=float(row[0]) if row else 0.0)


def failed(admission: Admission, retry_after: float | None = None) -> None:
    """The issuer did not answer, or answered that it cannot."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FAILED,
            {
                "issuer": admission.issuer,
                "retry_after": None if retry_after is None else min(retry_after, LONGEST_CLOSED_SECONDS),
                "enough": FAILURES,
                "first": FIRST_CLOSED_SECONDS,
                "longest": LONGEST_CLOSED_SECONDS,
                "probe": admission.probe,
            },
        )


def answered(admission: Admission) -> None:
    """The issuer answered, be it with a refusal. Writes only where there were failures."""
    RemoteIssuer.objects.filter(issuer=admission.issuer, failures__gt=0).update(failures=0, closed_until=None)
