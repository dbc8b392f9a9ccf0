"""Accounts in the admin. Keys and invitations can be ended here, never seen or made: making one shows a secret once,
which is what the settings pages and `manage.py apikey` are for."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import (
    AddressChange,
    ApiKey,
    Invitation,
    Membership,
    Organization,
    Plan,
    Subscription,
    TokenUsage,
    User,
)
from accounts.page_caller import admin_caller
from accounts.services import keys
from accounts.services.people import settle_in
from security import audit
from security.admin_kinds import AnyModelAdmin, ReadOnlyAdmin

if TYPE_CHECKING:
    AnyTabularInline = admin.TabularInline[Any, Any]
    AnyStackedInline = admin.StackedInline[Any, Any]
    AnyUserAdmin = DjangoUserAdmin[User]
else:
    AnyTabularInline, AnyStackedInline, AnyUserAdmin = admin.TabularInline, admin.StackedInline, DjangoUserAdmin


class MembershipInline(AnyTabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user", "organization"]


class SubscriptionInline(AnyStackedInline):
    model = Subscription
    extra = 0


class AuditedAdmin(AnyModelAdmin):
    """An admin whose every change leaves an entry in the audit, as changes through all doors do."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _record("add", request, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _record("change", request, obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            _record("delete", request, obj)
        return super().log_deletions(request, queryset)


@admin.register(AddressChange)
class AddressChangeAdmin(AuditedAdmin, ReadOnlyAdmin):
    """Addresses that wait to be confirmed. Deleting one voids its link."""

    list_display = ["user", "email", "asked_at"]
    list_filter = ["asked_at"]
    list_select_related = ["user"]
    search_fields = ["user__email", "email"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("accounts.delete_addresschange")


@admin.register(User)
class UserAdmin(AuditedAdmin, AnyUserAdmin):
    ordering = ["email"]
    list_display = ["email", "name", "is_active", "is_staff", "joined_at", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser", "subscription__plan"]
    search_fields = ["email", "name"]
    readonly_fields = ["joined_at", "last_login"]
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        ("May", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("When", {"fields": ["joined_at", "last_login"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "usable_password", "password1", "password2"]})]
    inlines = [SubscriptionInline, MembershipInline]

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj else []

    def save_model(self, request: HttpRequest, obj: User, form: "forms.ModelForm[User]", change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            settle_in(obj)


@admin.register(Organization)
class OrganizationAdmin(AuditedAdmin):
    list_display = ["name", "slug", "created_at"]
    search_fields = ["name", "slug", "memberships__user__email"]
    list_filter = ["created_at"]
    inlines = [MembershipInline]


@admin.register(Membership)
class MembershipAdmin(AuditedAdmin):
    list_display = ["user", "organization", "role", "created_at"]
    list_filter = ["role"]
    list_select_related = ["user", "organization"]
    search_fields = ["user__email", "organization__name"]
    autocomplete_fields = ["user", "organization"]


@admin.register(Plan)
class PlanAdmin(AuditedAdmin):
    list_display = ["code", "name", "rank", *Plan.LIMITS]
    list_editable = list(Plan.LIMITS)
    list_display_links = ["code"]
    list_filter = ["rank"]
    search_fields = ["code", "name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> list[str]:
        return ["code"] if obj else []


@admin.register(Subscription)
class SubscriptionAdmin(AuditedAdmin):
    list_display = ["user", "plan", "started_on", "ends_at"]
    list_filter = ["plan"]
    list_select_related = ["user", "plan"]
    search_fields = ["user__email"]
    autocomplete_fields = ["user"]


@admin.register(TokenUsage)
class TokenUsageAdmin(ReadOnlyAdmin):
    list_display = ["user", "day", "product", "tokens"]
    list_filter = ["product", "day"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    date_hierarchy = "day"


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ["shown", "name", "user", "scope", "status", "created_at", "last_used_at", "expires_at"]
    list_filter = ["scope", "created_at", "revoked_at"]
    list_select_related = ["user"]
    search_fields = ["name", "lookup", "user__email"]
    readonly_fields = ["shown", "status", "created_at", "last_used_at", "replaced_by"]
    actions = ["revoke"]

    @admin.action(description="Revoke the selected keys")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """End them at once, in the name of whoever is at the admin."""
        ended = keys.revoke_for_operator(admin_caller(request), queryset)
        self.message_user(request, f"{ended} key{'' if ended == 1 else 's'} revoked.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apikey")

    revoke.allowed_permissions = ["revoke"]  # type: ignore[attr-defined]


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ["organization", "role", "email", "created_by", "created_at", "expires_at", "accepted_at"]
    list_filter = ["role", "created_at", "accepted_at", "revoked_at"]
    list_select_related = ["organization", "created_by"]
    search_fields = ["organization__name", "email", "created_by__email"]
    exclude = ["token_digest"]


def _record(verb: str, request: HttpRequest, obj: Any, message: Any = None) -> None:
    parts = [part for part in message or [] if isinstance(part, dict)]
    fields = [name for part in parts for name in part.get("changed", {}).get("fields", [])]
    target = f"{obj._meta.label_lower}:{obj.pk}"
    audit.record(f"admin.{verb}", caller=admin_caller(request), target=target, detail={"fields": fields})
