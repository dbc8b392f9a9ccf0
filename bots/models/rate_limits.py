"""Discord's rate limits as all processes share them: how much of each bucket is left, and who is using it.

A bucket has a window, of which Discord's answers tell what remains and when it ends, and claims: the requests that are
on their way. A request may start while the claims are fewer than what remains, so that even if all of them are counted
by Discord and none of their answers has come back yet, the limit holds. A new window opens only once Discord's has
ended for certain, because its end is counted from the arrival of an answer that was older by then.

The limit over all routes has no such answers; it is a bucket of its own (`EVERYTHING`) whose claims stay for a second
after their answer. Any request that Discord counts within a second of another still holds, or has just held, its claim.

Claims are kept in the bucket's row, with the second at which each ends by itself should its process die, so that one
statement claims: `INSERT … ON CONFLICT DO UPDATE … WHERE`, found by the unique index, whose condition PostgreSQL
evaluates on the newest version of the row after waiting for its lock. All times are the database's.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models.functions import Now

# A route whose limit is not known yet lets through one request at a time.
UNKNOWN_LIMIT = 1
# The bucket for all of a token's requests: 50 a second, https://discord.com/developers/docs/topics/rate-limits
EVERYTHING = "*"
EVERYTHING_LIMIT = 50
EVERYTHING_SECONDS = 1.0
# When a claim whose process died ends by itself: longer than any request may take.
LEASE_SECONDS = 30.0
# Answers about one window name its end with this much jitter, in seconds.
SAME_WINDOW_SECONDS = 0.05

Parameters = dict[str, str | int | float]

_NOW = "extract(epoch FROM clock_timestamp())::float8"
_LIVE = f"SELECT key, value FROM jsonb_each(b.claims) WHERE value::float8 > {_NOW}"  # noqa: S608 - made of constants
_CLAIM = f"""
    INSERT INTO bots_ratelimitbucket AS b (token_hash, name, major, "limit", remaining, window_mark, claims, used_at)
    VALUES (
        %(token_hash)s,
        COALESCE(
            (SELECT bucket FROM bots_ratelimitroute WHERE token_hash = %(token_hash)s AND name = %(name)s),
            %(name)s
        ),
        %(major)s, %(limit)s, %(limit)s, 0,
        jsonb_build_object(%(claim)s::text, {_NOW} + %(lease)s), clock_timestamp()
    )
    ON CONFLICT (token_hash, name, major) DO UPDATE SET
        claims = (SELECT COALESCE(jsonb_object_agg(key, value), '{{}}') FROM ({_LIVE}) live) || excluded.claims,
        used_at = clock_timestamp()
    WHERE (SELECT count(*) FROM ({_LIVE}) live)
        < CASE WHEN b.resets_at > clock_timestamp() THEN b.remaining ELSE b."limit" END
    RETURNING b.name
"""  # noqa: S608
_WAIT = f"""
    SELECT CASE WHEN b.resets_at > clock_timestamp() AND b.remaining <= 0
        THEN extract(epoch FROM b.resets_at - clock_timestamp())
        -- A request on its way ends long before its lease does; only one that lingers tells when it makes room.
        ELSE (SELECT min(value::float8) - {_NOW} FROM ({_LIVE}) live
              WHERE value::float8 <= {_NOW} + {EVERYTHING_SECONDS}) END::float8
    FROM bots_ratelimitbucket AS b
    WHERE token_hash = %(token_hash)s AND major = %(major)s AND name = COALESCE(
        (SELECT bucket FROM bots_ratelimitroute WHERE token_hash = %(token_hash)s AND name = %(name)s),
        %(name)s
    )
"""  # noqa: S608
_LEARN = """
    INSERT INTO bots_ratelimitbucket AS b
        (token_hash, name, major, "limit", remaining, window_mark, resets_at, claims, used_at)
    VALUES (
        %(token_hash)s, %(bucket)s, %(major)s, %(limit)s, %(remaining)s, %(mark)s,
        clock_timestamp() + make_interval(secs => %(seconds)s), '{}', clock_timestamp()
    )
    ON CONFLICT (token_hash, name, major) DO UPDATE SET
        "limit" = excluded."limit",
        remaining = CASE
            WHEN excluded.window_mark > b.window_mark + %(jitter)s THEN excluded.remaining
            ELSE LEAST(b.remaining, excluded.remaining) END,
        resets_at = CASE
            WHEN excluded.window_mark > b.window_mark + %(jitter)s OR b.resets_at IS NULL THEN excluded.resets_at
            ELSE LEAST(b.resets_at, excluded.resets_at) END,
        window_mark = excluded.window_mark
    -- An answer that was overtaken by one about a later window has nothing left to say.
    WHERE excluded.window_mark >= b.window_mark - %(jitter)s
"""
_LEARN_ROUTE = """
    INSERT INTO bots_ratelimitroute AS r (token_hash, name, bucket)
    VALUES (%(token_hash)s, %(name)s, %(bucket)s)
    ON CONFLICT (token_hash, name) DO UPDATE SET bucket = excluded.bucket WHERE r.bucket <> excluded.bucket
"""
_BLOCK = """
    UPDATE bots_ratelimitbucket SET
        remaining = 0,
        resets_at = GREATEST(resets_at, clock_timestamp() + make_interval(secs => %(seconds)s))
    WHERE token_hash = %(token_hash)s AND name = %(bucket)s AND major = %(major)s
"""
_END_CLAIM = """
    UPDATE bots_ratelimitbucket SET claims = claims - %(claim)s::text, remaining = GREATEST(remaining - %(lost)s, 0)
    WHERE token_hash = %(token_hash)s AND name = %(bucket)s AND major = %(major)s
"""
_LINGER = f"""
    UPDATE bots_ratelimitbucket
    SET claims = jsonb_set(claims, ARRAY[%(claim)s::text], to_jsonb({_NOW} + %(seconds)s))
    WHERE token_hash = %(token_hash)s AND name = %(bucket)s AND major = 0
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Place:
    """A claimed place for one request, in the bucket of its route and in the one for everything."""

    claim: str
    token_hash: str
    route: str
    bucket: str
    major: int


@dataclass(frozen=True, slots=True)
class WindowReport:
    """What an answer's headers say about its bucket; `mark` is the window's end by Discord's clock, which names it."""

    bucket: str
    limit: int
    remaining: int
    mark: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Report:
    """What one answer said: the window of its bucket, and after a 429 how long to keep off it, or off `everywhere`."""

    window: WindowReport | None
    retry_after: float | None = None
    everywhere: bool = False


@contextmanager
def _quick() -> Iterator[CursorWrapper]:
    """A transaction that does not wait for the disk: what a crash loses of it is out of date by then."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")
        yield cursor


class RateLimitBucketManager(models.Manager["RateLimitBucket"]):
    def claim(self, token_hash: str, route: str, major: int) -> Place | float | None:
        """A place for one request; else the seconds until one may be free, or None where nobody can say.

        Refuses to run inside a transaction: what is claimed has to be seen by everybody at once.
        """
        claim: Parameters = {"token_hash": token_hash, "claim": uuid.uuid4().hex, "lease": LEASE_SECONDS}
        wanted: Parameters = {"name": route, "major": major, "limit": UNKNOWN_LIMIT}
        with _quick() as cursor:
            cursor.execute(_CLAIM, claim | wanted)
            if row := cursor.fetchone():
                bucket = str(row[0])
                wanted = {"name": EVERYTHING, "major": 0, "limit": EVERYTHING_LIMIT}
                cursor.execute(_CLAIM, claim | wanted)
                if cursor.fetchone():
                    return Place(str(claim["claim"]), token_hash, route, bucket, major)
                transaction.set_rollback(True)
        with connection.cursor() as cursor:
            cursor.execute(_WAIT, claim | wanted)
            row = cursor.fetchone()
        return float(row[0]) if row and row[0] is not None else None

    def give_back(self, place: Place, report: Report | None, *, lost: bool = False) -> None:
        """Record what the answer said, if there was one, and end the claim, both at once.

        `lost` says that Discord may have counted the request without anybody learning what remains.
        """
        window = report.window if report else None
        bucket = window.bucket if window else place.bucket
        with _quick() as cursor:
            if window is not None:
                _learn(cursor, place, window)
            if report is not None and report.retry_after is not None:
                name, major = (EVERYTHING, 0) if report.everywhere else (bucket, place.major)
                blocked: Parameters = {"token_hash": place.token_hash, "bucket": name, "major": major}
                cursor.execute(_BLOCK, blocked | {"seconds": report.retry_after})
            ended: Parameters = {"token_hash": place.token_hash, "claim": place.claim}
            cursor.execute(_END_CLAIM, ended | {"bucket": place.bucket, "major": place.major, "lost": int(lost)})
            # Last, because everybody with this token waits for this row.
            cursor.execute(_LINGER, ended | {"bucket": EVERYTHING, "seconds": EVERYTHING_SECONDS})

    def prune(self, *, unused_for: timedelta = timedelta(days=1)) -> int:
        """Delete buckets that nobody used for so long, and return how many; what they knew is long out of date."""
        deleted, _ = self.filter(used_at__lt=Now() - unused_for).delete()
        return deleted


def _learn(cursor: CursorWrapper, place: Place, window: WindowReport) -> None:
    """Keep what an answer said about its bucket, and which bucket its route counts in."""
    told: Parameters = {
        "token_hash": place.token_hash,
        "name": place.route,
        "bucket": window.bucket,
        "major": place.major,
        "limit": window.limit,
        "remaining": window.remaining,
        "mark": window.mark,
        "seconds": window.seconds_left,
        "jitter": SAME_WINDOW_SECONDS,
    }
    cursor.execute(_LEARN, told)
    if place.bucket != window.bucket:
        cursor.execute(_LEARN_ROUTE, told)


class RateLimitRoute(models.Model):
    """Which bucket a route counts in, as Discord's last answer said. Several routes may share one."""

    token_hash = models.CharField(max_length=64)
    name = models.CharField("route", max_length=100)
    bucket = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token_hash", "name"], name="rate_limit_route_once")]

    def __str__(self) -> str:
        return self.name


class RateLimitBucket(models.Model):
    """What is left of one limit for one token, split by guild or channel (`major`, 0 where it is not split)."""

    token_hash = models.CharField(max_length=64)
    name = models.CharField(max_length=100, help_text="Discord's name for it, or the route before it is known.")
    major = models.BigIntegerField(default=0)
    limit = models.IntegerField()
    remaining = models.IntegerField()
    resets_at = models.DateTimeField(null=True)
    window_mark = models.FloatField(default=0, help_text="The window's end by Discord's clock, in Unix seconds.")
    claims = models.JSONField(
        default=dict, help_text="Requests on their way: claim to the Unix second it ends by itself."
    )
    used_at = models.DateTimeField()

    objects = RateLimitBucketManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token_hash", "name", "major"], name="rate_limit_bucket_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.major}" if self.major else self.name
