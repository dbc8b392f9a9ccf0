"""Providers of models: everybody in the organization sees which there are; its admins add, change and delete them."""

import re
from dataclasses import dataclass, fields
from uuid import UUID

import httpx2
from django.db import transaction

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.scopes import Scope
from accounts.services.organizations import administered, organization_of
from llm import scripted
from llm.models import Kind, Provider, ProviderQuerySet
from security import audit, outbound
from security.redact import REDACTED

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
MODEL = re.compile(r"[^\s:][^\s]{0,159}")
FALLBACK = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}(:[^\s]{1,159})?")
# Tokens. Less than the first holds no task and no answer.
SMALLEST_WINDOW, LARGEST_WINDOW = 2_000, 10_000_000
KEY = re.compile(r"[\x21-\x7e]{1,2000}")


@dataclass(frozen=True, slots=True, repr=False)
class ProviderFields:
    """All settings of a provider. For the key, nothing or [REDACTED] keeps the one that is stored."""

    name: str
    kind: str
    default_model: str
    base_url: str = ""
    api_key: str = ""
    fallback_model: str = ""
    context_window: int | None = None
    is_default: bool = False
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Edited:
    """A provider after an edit, and whether its key was dropped because the address leads elsewhere now."""

    provider: Provider
    key_dropped: bool


def list_providers(caller: Caller, *, organization_id: UUID) -> ProviderQuerySet:
    """The organization's providers without their keys, for the door to order and page."""
    caller.require(Scope.READ)
    organization = organization_of(caller, organization_id)
    return Provider.objects.for_caller(caller).filter(organization=organization).defer("api_key")


def find_provider(caller: Caller, *, provider_id: int) -> Provider:
    caller.require(Scope.READ)
    provider = Provider.objects.for_caller(caller).filter(pk=provider_id).select_related("organization").first()
    if provider is None:
        raise not_found()
    return provider


def create_provider(caller: Caller, *, organization_id: UUID, given: ProviderFields) -> Provider:
    """The first provider that is enabled is the default one, whatever was asked for."""
    organization = organization_of(caller, organization_id)
    with transaction.atomic():
        row = Provider(organization=administered(caller, organization.pk))
        write_fields(row, given)
        row.is_default |= row.enabled and not _others(row).filter(is_default=True).exists()
        _save(row)
        audit.record("model_provider.create", caller=caller, target=target(row), detail=_settings(row))
    return row


def update_provider(caller: Caller, *, provider_id: int, given: ProviderFields) -> Edited:
    with transaction.atomic():
        row = locked_for_admin(caller, provider_id)
        dropped = write_fields(row, given)
        row.tested_at, row.test_result = None, ""
        _save(row)
        detail = _settings(row) | {"key_dropped": dropped}
        audit.record("model_provider.update", caller=caller, target=target(row), detail=detail)
    return Edited(row, dropped)


def delete_provider(caller: Caller, *, provider_id: int) -> None:
    """What was spent with it stays in the accounts."""
    with transaction.atomic():
        row = locked_for_admin(caller, provider_id)
        audit.record("model_provider.delete", caller=caller, target=target(row), detail={"name": row.name})
        row.delete()


def write_fields(row: Provider, given: ProviderFields) -> bool:
    """Write what was sent onto the row, which may be new, or raise `Invalid` with the field's name.

    A key was entered for one host. Returns whether the stored one was dropped because the provider is another now.
    """
    place = _place(row) if row.pk else None
    row.name = _matched("name", given.name.strip(), NAME, "A name is made of lower-case letters, digits, - and _.")
    if row.name == scripted.NAME:
        raise fault("name", f"“{scripted.NAME}” is the model that is always there. Choose another name.")
    if given.kind not in Kind.values:
        raise fault("kind", f"The kinds of providers are {', '.join(Kind.values)}.")
    row.kind = given.kind
    row.base_url = _base_url(given)
    row.default_model = _matched("default_model", given.default_model.strip(), MODEL, "Give a model's name, in a word.")
    fallback = given.fallback_model.strip()
    if fallback:
        _matched("fallback_model", fallback, FALLBACK, "Write provider:model, such as backup:gpt-5-mini.")
    row.fallback_model = fallback
    row.context_window = _window(given.context_window)
    row.is_default, row.enabled = given.is_default, given.enabled
    return _write_key(row, given, moved=place is not None and place != _place(row))


def locked_for_admin(caller: Caller, provider_id: int) -> Provider:
    """The provider, it and its organization locked, where the caller is an admin; inside a transaction."""
    mine = Provider.objects.for_caller(caller).filter(pk=provider_id)
    organization_id = mine.values_list("organization_id", flat=True).first()
    if organization_id is None:
        raise not_found()
    organization = administered(caller, organization_id)
    row = Provider.objects.select_for_update().filter(pk=provider_id).first()
    if row is None:  # deleted while we waited for the organization
        raise not_found()
    row.organization = organization
    return row


def target(provider: Provider) -> str:
    """How the audit names it."""
    return f"model_provider:{provider.pk}"


def fault(field: str, message: str) -> Invalid:
    return Invalid(message, data={"field": field})


def not_found() -> NotFound:
    return NotFound("There is no such provider in your organizations. It may have been deleted.")


def _save(row: Provider) -> None:
    """The organization is locked, so that nobody takes the name or the first place in between."""
    if _others(row).filter(name=row.name).exists():
        raise Conflict(
            f"The organization has a provider named “{row.name}” already.", code="name_taken", data={"field": "name"}
        )
    if row.is_default:
        _others(row).filter(is_default=True).update(is_default=False)
    row.save()


def _others(row: Provider) -> ProviderQuerySet:
    return Provider.objects.filter(organization=row.organization).exclude(pk=row.pk)


def _base_url(given: ProviderFields) -> str:
    url = given.base_url.strip()
    if not url:
        if given.kind == Kind.COMPATIBLE:
            raise fault("base_url", "An OpenAI-compatible server needs its base URL. It often ends in /v1.")
        return ""
    try:
        checked = outbound.validate_url(url)
    except outbound.OutboundRefused as refused:
        raise fault("base_url", str(refused)) from None
    if "?" in checked or "#" in checked:
        raise fault("base_url", "Leave out what comes after ? or #: paths are added to the base URL.")
    if len(checked) > 2000:
        raise fault("base_url", "The URL is longer than 2,000 characters.")
    return checked


def _place(row: Provider) -> tuple[str, str, int] | str:
    """What a key belongs to: the provider itself, or the scheme, host and port of the base URL."""
    if not row.base_url:
        return row.kind
    url = httpx2.URL(row.base_url)
    return url.scheme, url.host, url.port or {"https": 443, "http": 80}.get(url.scheme, 0)


def _write_key(row: Provider, given: ProviderFields, *, moved: bool) -> bool:
    key = given.api_key.strip()
    if key not in ("", REDACTED):
        row.api_key = _matched("api_key", key, KEY, "A key is one line of plain characters without spaces.")
        return False
    if key == REDACTED and not row.api_key:
        raise fault("api_key", "No key is stored. Enter it, or leave it empty.")
    dropped = moved and bool(row.api_key)
    if moved:
        row.api_key = None
    return dropped


def _window(tokens: int | None) -> int | None:
    if tokens is not None and not SMALLEST_WINDOW <= tokens <= LARGEST_WINDOW:
        raise fault("context_window", f"A context window has {SMALLEST_WINDOW:,} to {LARGEST_WINDOW:,} tokens.")
    return tokens


def _matched(field: str, value: str, pattern: re.Pattern[str], otherwise: str) -> str:
    if not pattern.fullmatch(value):
        raise fault(field, otherwise)
    return value


def _settings(row: Provider) -> dict[str, object]:
    """The settings for the audit: of the key, that it is there."""
    told = {field.name: getattr(row, field.name) for field in fields(ProviderFields) if field.name != "api_key"}
    return told | {"has_key": bool(row.api_key)}
