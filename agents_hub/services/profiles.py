"""What can be done with browser profiles: find, list, create, change, duplicate, clear, delete."""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Prefetch, QuerySet
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, NotFound
from accounts.scopes import Scope
from accounts.services.organizations import organization_of, organizations_of
from agents_hub.models import Profile, ProfileCookie, ProfileCredential
from agents_hub.models.profiles import ProfileQuerySet
from agents_hub.services.profile_rules import fault, write_fields
from agents_hub.shapes.profiles import CookieInput, CreateProfile, CredentialInput, UpdateProfile
from dashboard.numbered_pages import NumberedPage, numbered, ordering
from security import audit

# What one profile may hold: enough for any site's sign-in, and a bound on what one answer carries.
MOST_CREDENTIALS = 100
MOST_COOKIES = 500
# What is known of the persisted browser state, which no copy inherits.
BROWSER_STATE = ("cache_generation", "cache_cleared_at")


def list_profiles(
    caller: Caller,
    *,
    organization_id: UUID | None = None,
    search_name: str | None = None,
    sort_field: str = "created_at",
    sort_direction: str = "desc",
    page: int = 1,
    page_size: int = 10,
) -> NumberedPage[Profile]:
    caller.require(Scope.READ)
    profiles = _whole(Profile.objects.filter(organization_id__in=organizations_of(caller, organization_id)))
    if search_name:
        profiles = profiles.filter(name__icontains=search_name)
    return numbered(profiles, order=ordering(sort_field, sort_direction), number=page, size=page_size)


def get_profile(caller: Caller, *, profile_id: UUID) -> Profile:
    """The profile with its organization, credentials (sealed) and cookies."""
    caller.require(Scope.READ)
    profile = _whole(Profile.objects.for_caller(caller)).filter(pk=profile_id).first()
    if profile is None:
        raise not_found()
    return profile


def create_profile(caller: Caller, *, profile: CreateProfile) -> Profile:
    caller.require(Scope.WRITE)
    row = Profile(organization=organization_of(caller, profile.organization_id), created_by_id=caller.user_id)
    write_fields(row, profile)
    with transaction.atomic():
        _save(row)
        _add_credentials(row, profile.credentials)
        _add_cookies(row, profile.cookies)
        audit.record("profile.create", caller=caller, target=f"profile:{row.pk}", detail={"name": row.name})
    return get_profile(caller, profile_id=row.pk)


def update_profile(caller: Caller, *, change: UpdateProfile) -> Profile:
    """Change what was sent and keep the rest: all of it, or, where any part cannot be, none."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        row = _locked(caller, change.profile_id)
        write_fields(row, change)
        _save(row)
        _delete_parts(row.credentials.all(), change.credentials_to_delete, "credentialsToDelete")
        _delete_parts(row.cookies.all(), change.cookies_to_delete, "cookiesToDelete")
        _update_credentials(row, change.credentials_to_update)
        _add_credentials(row, change.credentials_to_add)
        _add_cookies(row, change.cookies_to_add)
        detail = {
            "changed": sorted(change.model_fields_set - {"profile_id"}),
            "added": [f"credential {one.name.upper()}" for one in change.credentials_to_add]
            + [f"cookie {one.name}" for one in change.cookies_to_add],
        }
        audit.record("profile.update", caller=caller, target=f"profile:{row.pk}", detail=detail)
    return get_profile(caller, profile_id=row.pk)


def duplicate_profile(caller: Caller, *, profile_id: UUID, organization_id: UUID | None = None) -> Profile:
    """A copy with its credentials and cookies, in the same organization or another of the caller's.

    The inbox address stays with the original, as does the persisted browser state.
    """
    caller.require(Scope.WRITE)
    original = get_profile(caller, profile_id=profile_id)
    target = organization_of(caller, organization_id) if organization_id else original.organization
    with transaction.atomic():
        copy = Profile(
            **{
                field.attname: getattr(original, field.attname)
                for field in Profile._meta.concrete_fields
                if field.attname not in {"id", "created_at", "updated_at", "inbox_prefix", *BROWSER_STATE}
            }
        )
        copy.organization, copy.created_by_id = target, caller.user_id
        copy.name = _free_name(target.pk, original.name)
        _save(copy)
        for credential in original.credentials.all():
            ProfileCredential.objects.create(profile=copy, name=credential.name, value=credential.value)
        for cookie in original.cookies.all():
            ProfileCookie.objects.create(
                profile=copy,
                **{
                    field: getattr(cookie, field)
                    for field in ("name", "key", "value", "domain", "expiry", "secure", "same_site", "http_only")
                },
            )
        audit.record(
            "profile.duplicate", caller=caller, target=f"profile:{copy.pk}", detail={"original": str(original.pk)}
        )
    return get_profile(caller, profile_id=copy.pk)


def delete_profile(caller: Caller, *, profile_id: UUID) -> None:
    caller.require(Scope.WRITE)
    with transaction.atomic():
        row = _locked(caller, profile_id)
        audit.record("profile.delete", caller=caller, target=f"profile:{row.pk}", detail={"name": row.name})
        row.delete()


def clear_browser_cache(caller: Caller, *, profile_id: UUID) -> Profile:
    """Forget the persisted browser state: what was kept under the generation before is read no more."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        row = _locked(caller, profile_id)
        row.cache_generation = F("cache_generation") + 1
        row.cache_cleared_at = timezone.now()
        row.save(update_fields=["cache_generation", "cache_cleared_at", "updated_at"])
        audit.record("profile.clear_browser_cache", caller=caller, target=f"profile:{row.pk}")
    return row


def _whole(profiles: ProfileQuerySet) -> ProfileQuerySet:
    return profiles.select_related("organization").prefetch_related(
        Prefetch("credentials", ProfileCredential.objects.defer("value")), "cookies"
    )


def _locked(caller: Caller, profile_id: UUID) -> Profile:
    rows = Profile.objects.for_caller(caller).select_for_update(of=("self",)).select_related("organization")
    row = rows.filter(pk=profile_id).first()
    if row is None:
        raise not_found()
    return row


def _save(row: Profile) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "profile_name_once" in str(error):
            raise Conflict(
                f"The organization has a profile named “{row.name}” already.",
                code="name_taken",
                data={"field": "name"},
            ) from None
        if "profile_inbox_once" in str(error):
            raise Conflict(
                f"The inbox {row.inbox_email} is another profile's. Choose another prefix.",
                code="inbox_taken",
                data={"field": "inboxEmailPrefix"},
            ) from None
        raise


def _add_credentials(row: Profile, credentials: Sequence[CredentialInput]) -> None:
    held = set(row.credentials.values_list("name", flat=True))
    if len(held) + len(credentials) > MOST_CREDENTIALS:
        raise fault("credentials", f"would be more than {MOST_CREDENTIALS}, the most a profile holds.")
    for credential in credentials:
        name = credential.name.upper()
        if name in held:
            raise fault("credentials", f"holds {name} twice. A credential's name is there once, in upper case.")
        held.add(name)
        ProfileCredential.objects.create(profile=row, name=name, value=credential.data)


def _update_credentials(row: Profile, credentials: Sequence[CredentialInput]) -> None:
    held = {credential.name: credential for credential in row.credentials.all()}
    for credential in credentials:
        stored = held.get(credential.name.upper())
        if stored is None:
            raise fault("credentialsToUpdate", f"names {credential.name.upper()}, which the profile does not have.")
        stored.value = credential.data
        stored.save(update_fields=["value"])


def _add_cookies(row: Profile, cookies: Sequence[CookieInput]) -> None:
    if row.cookies.count() + len(cookies) > MOST_COOKIES:
        raise fault("cookies", f"would be more than {MOST_COOKIES}, the most a profile holds.")
    for cookie in cookies:
        ProfileCookie.objects.create(profile=row, **cookie.model_dump())


def _delete_parts(
    parts: "QuerySet[ProfileCredential] | QuerySet[ProfileCookie]", ids: Sequence[UUID], field: str
) -> None:
    missing = set(ids) - set(parts.filter(pk__in=ids).values_list("pk", flat=True))
    if missing:
        raise fault(field, f"names {min(missing)}, which is not of this profile.")
    parts.filter(pk__in=ids).delete()


def _free_name(organization_id: int, name: str) -> str:
    """The name with “copy” behind it, numbered where that is taken."""
    taken = set(Profile.objects.filter(organization_id=organization_id).values_list("name", flat=True))
    if name not in taken:
        return name
    candidates = (f"{name[:235]} (copy{'' if number == 1 else f' {number}'})" for number in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)


def not_found() -> NotFound:
    return NotFound("There is no such profile in your organizations. agentProfilesList lists them.")
