"""How servers fare where they are used: noted while something is wrong, forgotten when they answer again.

A server that failed is given a shorter time. One that failed twice in a row is not asked at all for a while, by any
process, so that it does not hold up every answer; when that is over one caller asks it as a probe, and how that fares
opens it again or leaves it alone for longer. Its state is a row, its clock the database's. What is wrong with one
person's sign-in says nothing about the server.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from mcp_gateway.models import RemoteHealth, RemoteServer
from mcp_gateway.remote.problems import Code
from mcp_gateway.remote.targets import Target

FAILURES = 2
FIRST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 600.0
# What a server is given that failed when it was last asked. Most answer within one.
SHORT_SECONDS = 5.0
# Beyond the time that a probe has, before somebody else may try.
PROBE_GRACE_SECONDS = 5.0
# What was wrong longer ago says little about now.
NEWS_FOR = timedelta(hours=1)

DOWN = frozenset(
    {
        Code.TIMEOUT, Code.UNREACHABLE, Code.TLS, Code.SERVER_ERROR, Code.NOT_MCP, Code.NOT_FOUND,
        Code.WRONG_TRANSPORT, Code.REFUSED_ADDRESS, Code.TOO_LARGE,
    }
)  # fmt: skip
# The server's too where all people open it with the same key.
OF_THE_KEY = frozenset({Code.UNAUTHORIZED, Code.FORBIDDEN, Code.SCOPE_NEEDED, Code.PROTOCOL})
# In a call: the others may be the tool's alone.
NOT_THERE = DOWN - {Code.TIMEOUT, Code.SERVER_ERROR, Code.TOO_LARGE}

# Whoever finds the time over sets it anew, and is thereby the only one to go through.
_PROBE = """
    UPDATE mcp_gateway_remotehealth SET closed_until = clock_timestamp() + make_interval(secs => %(probe)s)
    WHERE server_id = %(server)s AND closed_until <= clock_timestamp()
"""
_WAIT = """
    SELECT extract(epoch FROM closed_until - clock_timestamp())::float8, code, message FROM mcp_gateway_remotehealth
    WHERE server_id = %(server)s AND closed_until > clock_timestamp()
"""
# What was on its way when it was closed says nothing new; only the probe counts then. It is left alone for twice as
# long with each failure, up to the longest, between half and all of that.
_FAILED = """
    INSERT INTO mcp_gateway_remotehealth AS h (server_id, failures, code, message, failed_at)
    SELECT id, 1, %(code)s, %(message)s, clock_timestamp() FROM mcp_gateway_remoteserver WHERE id = %(server)s
    ON CONFLICT (server_id) DO UPDATE SET
        failures = h.failures + 1, code = excluded.code, message = excluded.message, failed_at = excluded.failed_at,
        closed_until = CASE WHEN h.failures + 1 >= %(enough)s THEN clock_timestamp() + make_interval(secs =>
            LEAST(%(longest)s, %(first)s * power(2, LEAST(h.failures + 1 - %(enough)s, 20))) * (0.5 + random() / 2))
        END
    WHERE h.closed_until IS NULL OR %(probe)s
"""


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a server may be asked, and for how long: not where `wait` seconds are left; then `code` and `said` tell
    what was wrong."""

    seconds: float = 0.0
    wait: float = 0.0
    probe: bool = False
    code: str = ""
    said: str = ""


def admit(server_id: int, seconds: float) -> Admission:
    """Whether to ask a server that failed when it was last asked."""
    with connection.cursor() as cursor:
        cursor.execute(_PROBE, {"server": server_id, "probe": seconds + PROBE_GRACE_SECONDS})
        if cursor.rowcount:
            return Admission(seconds, probe=True)
        cursor.execute(_WAIT, {"server": server_id})
        row = cursor.fetchone()
    if row is None:
        return Admission(min(seconds, SHORT_SECONDS))
    return Admission(wait=float(row[0]), code=row[1], said=row[2])


def failed(server_id: int, code: Code, message: str, *, probe: bool = False) -> None:
    """The server could not be used."""
    values: dict[str, str | float] = {
        "server": server_id,
        "code": code,
        "message": message[:1_000],
        "enough": FAILURES,
        "first": FIRST_PAUSE_SECONDS,
        "longest": LONGEST_PAUSE_SECONDS,
        "probe": probe,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FAILED, values)


def answered(server_id: int) -> None:
    """The server works. Whatever a test or a chat found wrong with it before no longer holds."""
    RemoteHealth.objects.filter(server=server_id).delete()
    RemoteServer.objects.filter(pk=server_id).exclude(test_code__in=["", Code.NO_TOOLS]).update(
        test_code="", test_message="", tested_at=timezone.now()
    )


def is_the_servers(target: Target, code: Code) -> bool:
    """Whether what went wrong would go wrong for others too."""
    return code in DOWN or (target.credential.connection_id is None and code in OF_THE_KEY)


def is_failing(server: RemoteServer) -> bool:
    """Whether anything is known to be wrong with it, which an answer of it would put right."""
    return noted(server) is not None or server.test_code not in ("", Code.NO_TOOLS)


def noted(server: RemoteServer) -> RemoteHealth | None:
    """What was last found wrong, however long ago."""
    return getattr(server, "health", None)


def recent(server: RemoteServer) -> RemoteHealth | None:
    """What was found wrong lately, where it was used and has not answered since."""
    found = noted(server)
    return found if found is not None and timezone.now() - found.failed_at < NEWS_FOR else None
