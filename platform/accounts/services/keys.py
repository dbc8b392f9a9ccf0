"""The life of an API key: made, verified, rotated, revoked. The key itself leaves here once, when it is made."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.key_format import KeyText, new_key, read_key
from accounts.models import ApiKey, User
from accounts.scopes import Scope
from security import audit

# More than one person needs; a bound on what a stolen session can leave behind.
MOST_USABLE_KEYS = 50
LONGEST_OVERLAP = timedelta(days=30)
# What a missing key is compared with, so that a miss takes as long as a wrong secret.
NO_DIGEST = bytes(32)

# The plan: `accounts_apikey` by its primary key, a handful of rows; those another process is writing are passed over.
TOUCH = """
    UPDATE accounts_apikey SET last_used_at = clock_timestamp() WHERE id IN (
        SELECT id FROM accounts_apikey
        WHERE id = ANY(%s) AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')
        FOR NO KEY UPDATE SKIP LOCKED
    )
"""


@dataclass(frozen=True, slots=True)
class VerifiedKey:
    """A key that opened. `expires_at` is for those who remember it for a while."""

    key_id: int
    user_id: int
    scope: Scope
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made, with its text in clear for the one time it is shown."""

    key: ApiKey
    text: str

    def __repr__(self) -> str:
        return f"NewKey({self.key})"


def verify(text: str) -> VerifiedKey | None:
    """Whose key this is and what it opens, in one query; nothing for one that is malformed, unknown, expired, revoked,
    or of somebody who was deactivated."""
    given = read_key(text)
    if given is None:
        return None
    row = (
        ApiKey.objects.filter(lookup=given.lookup)
        .values_list("id", "user_id", "scope", "expires_at", "revoked_at", "user__is_active", "digest")
        .first()
    )
    key_id, user_id, scope, expires_at, revoked_at, is_active, digest = row or (0, 0, "", None, None, False, NO_DIGEST)
    matches = hmac.compare_digest(bytes(digest), given.digest)
    if not matches or not is_active or revoked_at or (expires_at and expires_at <= timezone.now()):
        return None
    return VerifiedKey(key_id, user_id, Scope(scope), expires_at)


def touch(*key_ids: int) -> None:
    """Note that the keys were just used: at most once a minute each, and never waiting for another writer."""
    with connection.cursor() as cursor:
        cursor.execute(TOUCH, [list(key_ids)])


def create_key(caller: Caller, *, name: str, scope: Scope, expires_at: datetime | None = None) -> NewKey:
    """A new key of the caller, no wider than the caller. Its text is in the answer and nowhere else."""
    caller.require(scope)
    name = name.strip()
    if not name or len(name) > 60:
        raise Invalid("Give the key a name of 1 to 60 characters.", data={"field": "name"})
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("The key would have expired already. Choose a later day.", data={"field": "expires_at"})
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).filter(pk=caller.user_id).first()  # counted one by one
        if ApiKey.objects.for_caller(caller).usable().count() >= MOST_USABLE_KEYS:
            raise Conflict(f"You have {MOST_USABLE_KEYS} keys already. Revoke one that is not used.")
        made = _store(caller.user_id, name, scope, expires_at)
        audit.record("api_key.create", caller=caller, target=_target(made.key), detail={"name": name, "scope": scope})
    return made


def rotate_key(caller: Caller, *, key_id: int, overlap: timedelta = timedelta(0)) -> NewKey:
    """A new key in place of an old one, which goes on working for `overlap` and then expires.

    The new one keeps the name, the scope, and, counted from now, the span of life that the old one was given.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid(f"The old key can go on for 0 to {LONGEST_OVERLAP.days} days.", data={"field": "overlap"})
    with transaction.atomic():
        old = _locked(caller, key_id)
        caller.require(Scope(old.scope))
        if old.status != "active":
            raise Conflict(f"This key is {old.status}, so it cannot be rotated. Make a new one.", code="key_not_active")
        now = timezone.now()
        lifetime = old.expires_at - old.created_at if old.expires_at else None
        made = _store(old.user_id, old.name, Scope(old.scope), now + lifetime if lifetime else None)
        old.replaced_by = made.key
        old.expires_at = min(now + overlap, old.expires_at or now + overlap)
        old.save(update_fields=["replaced_by", "expires_at"])
        audit.record(
            "api_key.rotate",
            caller=caller,
            target=_target(old),
            detail={"replaced_by": made.key.lookup, "old_until": old.expires_at.isoformat()},
        )
    return made


def revoke_key(caller: Caller, *, key_id: int) -> ApiKey:
    """End a key at once, in every process. Revoking it again says so and changes nothing."""
    with transaction.atomic():
        key = _locked(caller, key_id)
        caller.require(Scope(key.scope))
        if key.revoked_at:
            raise Conflict("This key was revoked already.", code="already_revoked")
        _end(caller, key)
    return key


def revoke_for_operator(operator: Caller, keys: Iterable[ApiKey]) -> int:
    """End anybody's keys, for doors that only operators have. Returns how many were still open."""
    operator.require(Scope.ADMIN)
    with transaction.atomic():
        chosen = ApiKey.objects.filter(pk__in=[key.pk for key in keys], revoked_at__isnull=True)
        # In one order, so that of two operators one waits for the other and never both.
        ended = [_end(operator, key) for key in chosen.order_by("pk").select_for_update()]
    return len(ended)


def list_keys(caller: Caller) -> list[ApiKey]:
    """The caller's keys, the newest first, those that no longer open at the end."""
    keys = ApiKey.objects.for_caller(caller).select_related("replaced_by").order_by("-created_at")
    return sorted(keys, key=lambda key: key.status in {"revoked", "expired"})


def _end(caller: Caller, key: ApiKey) -> ApiKey:
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    audit.record("api_key.revoke", caller=caller, target=_target(key), detail={"name": key.name})
    return key


def _locked(caller: Caller, key_id: int) -> ApiKey:
    key = ApiKey.objects.for_caller(caller).select_for_update().filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such key of yours. It may have been deleted.")
    return key


def _store(user_id: int, name: str, scope: Scope, expires_at: datetime | None) -> NewKey:
    text: KeyText = new_key()
    while ApiKey.objects.filter(lookup=text.lookup).exists():
        text = new_key()
    key = ApiKey.objects.create(
        user_id=user_id, name=name, scope=scope, lookup=text.lookup, digest=text.digest, expires_at=expires_at
    )
    return NewKey(key, text.text)


def _target(key: ApiKey) -> str:
    return f"api_key:{key.pk}"
