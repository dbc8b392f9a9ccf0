"""Answering a POST once: a request that comes again under its Idempotency-Key gets the answer it got before.

The key's row is written in the transaction of the act itself, so there is never an act without its answer nor a key
that a crash left taken. Of two requests at once the second waits at the unique index until the first has committed; had
that one failed, the second acts.
"""

import re
from collections.abc import Iterable
from datetime import timedelta

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from psycopg.errors import LockNotAvailable

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid
from mcp_gateway.models import KeptAnswer
from mcp_gateway.rest.answers import Answer
from mcp_gateway.rest.calls import Call
from mcp_gateway.rest.routes import SentFile
from mcp_gateway.shapes import IN_CLEAR

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
KEPT_FOR = timedelta(hours=24)
LONGEST_WAIT_SECONDS = 10
KEY = re.compile(r"[\x21-\x7e]{1,255}")
SWEEP_BATCH = 1_000


def once(caller: Caller, key: str, call: Call) -> Answer:
    """Run the call, or give the answer kept under this person's key. `Conflict` where the key was another request's."""
    if not KEY.fullmatch(key):
        raise Invalid(f"{HEADER}: is 1 to 255 printable ASCII characters without spaces; a UUID does.")
    digest = _digest(call)
    with transaction.atomic():
        kept = KeptAnswer(user_id=caller.user_id, key=key, request_digest=digest, expires_at=timezone.now() + KEPT_FOR)
        if not _claim(kept):
            return _before(caller, key, digest)
        answer = call.run()
        if _is_final(answer):
            kept.status, kept.body = answer.status, answer.body.decode()
            kept.save(update_fields=["status", "body"])
        else:
            kept.delete()
    return answer


def sweep() -> int:
    """Forget answers whose day is over. Returns how many there were."""
    due = KeptAnswer.objects.filter(expires_at__lte=timezone.now()).order_by("expires_at")
    total = 0
    while batch := list(due.values_list("pk", flat=True)[:SWEEP_BATCH]):
        total += KeptAnswer.objects.filter(pk__in=batch).delete()[0]
    return total


def _claim(kept: KeptAnswer) -> bool:
    """Take the key, waiting for whoever is taking it. False where it is another's, who has committed."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LONGEST_WAIT_SECONDS}s'")
    try:
        with transaction.atomic():
            KeptAnswer.objects.filter(user_id=kept.user_id, key=kept.key, expires_at__lte=timezone.now()).delete()
            kept.save(force_insert=True)
    except IntegrityError:
        return False
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Conflict(
                f"A request with this {HEADER} is still being answered. Send it again in a few seconds.",
                code="in_progress",
                data={"retry_after": 5},
            ) from None
        raise
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    return True


def _before(caller: Caller, key: str, digest: bytes) -> Answer:
    kept = KeptAnswer.objects.get(user_id=caller.user_id, key=key)
    if not constant_time_compare(bytes(kept.request_digest), digest):
        raise Conflict(f"This {HEADER} was used for another request. Choose a new one for a new request.")
    return Answer(kept.status, (kept.body or "").encode(), {REPLAYED_HEADER: "true"})


def _is_final(answer: Answer) -> bool:
    """Whether asking again would be answered the same: not so where the platform could not answer just then."""
    return answer.status < 500 and answer.status != 429


def _digest(call: Call) -> bytes:
    """What makes two requests the same: the route, the arguments however they were spelt, and what files hold."""
    arguments = call.arguments.model_dump_json(by_alias=True, context=IN_CLEAR)
    asked = f"{call.route.method} {call.route.api.base}{call.route.path} {arguments}"
    parts = (asked.encode(), *(part for file in call.files or () for part in _content(file)))
    digest = salted_hmac("mcp_gateway.rest.idempotency", b"", algorithm="sha256")
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def _content(file: SentFile) -> Iterable[bytes]:
    yield (file.name or "").encode()
    yield from file.chunks()
    file.seek(0)
