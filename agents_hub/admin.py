"""Agents in the admin: found and read here, with secrets never shown. Changes go by the pages and tools, whose services
hold a profile's fields to their rules and a file's row to its content. Chats come with it."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from agents_hub import models
from agents_hub.chat import admin as chats  # noqa: F401  # registers its own
from security.admin_kinds import ReadOnlyAdmin

if TYPE_CHECKING:
    AnyTabularInline = admin.TabularInline[Any, Any]
else:
    AnyTabularInline = admin.TabularInline


class LookedAtInline(AnyTabularInline):
    """Rows beside their owner's, to be looked at."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CredentialInline(LookedAtInline):
    model = models.ProfileCredential
    fields = readonly_fields = ("name", "created_at")


class CookieInline(LookedAtInline):
    model = models.ProfileCookie
    fields = readonly_fields = ("name", "key", "domain", "expiry", "secure", "same_site", "http_only")


class MembershipInline(LookedAtInline):
    model = models.PoolMembership
    fields = readonly_fields = ("profile", "added_at", "last_used_at")


class ServerInline(LookedAtInline):
    model = models.AgentServer
    fields = readonly_fields = ("server", "assigned_by", "assigned_at")


class PersonInline(LookedAtInline):
    model = models.AgentPerson
    fields = readonly_fields = ("user",)


class SubjectInline(LookedAtInline):
    model = models.AgentSubject
    fields = readonly_fields = ("source", "subject")


class SwitchedOffInline(LookedAtInline):
    model = models.SwitchedOff
    fields = readonly_fields = ("origin", "tool")


@admin.register(models.Agent)
class AgentAdmin(ReadOnlyAdmin):
    inlines = [ServerInline, SubjectInline, SwitchedOffInline, PersonInline]
    list_display = ["name", "organization", "stage", "audience", "created_by", "created_at"]
    list_filter = ["stage", "audience"]
    list_select_related = ["organization", "created_by"]
    search_fields = ["name", "organization__name", "=id"]
    search_help_text = "A name, an organization's name, or an id."
    show_full_result_count = False


@admin.register(models.Profile)
class ProfileAdmin(ReadOnlyAdmin):
    list_display = ["name", "organization", "proxy_mode", "operating_system", "created_by", "updated_at"]
    list_filter = ["proxy_mode", "operating_system"]
    list_select_related = ["organization", "created_by"]
    search_fields = ["name", "organization__name", "inbox_prefix", "=id"]
    search_help_text = "A name, an organization's name, an inbox, or an id."
    exclude = ["proxy_password", "tailscale_auth_key"]
    inlines = [CredentialInline, CookieInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*self.exclude)


@admin.register(models.ProfileCredential)
class ProfileCredentialAdmin(ReadOnlyAdmin):
    list_display = ["name", "profile", "created_at"]
    list_select_related = ["profile"]
    search_fields = ["name", "profile__name", "=id"]
    search_help_text = "A credential's or profile's name, or an id."
    exclude = ["value"]


@admin.register(models.ProfileCookie)
class ProfileCookieAdmin(ReadOnlyAdmin):
    list_display = ["name", "key", "domain", "profile", "expiry"]
    list_select_related = ["profile"]
    search_fields = ["name", "key", "domain", "profile__name", "=id"]
    search_help_text = "A cookie's name, key or domain, a profile's name, or an id."
    exclude = ["value"]


@admin.register(models.ProfilePool)
class ProfilePoolAdmin(ReadOnlyAdmin):
    list_display = ["name", "organization", "selection_strategy", "allow_concurrent_use", "created_at"]
    list_filter = ["selection_strategy", "allow_concurrent_use"]
    list_select_related = ["organization"]
    search_fields = ["name", "organization__name", "=id"]
    search_help_text = "A name, an organization's name, or an id."
    inlines = [MembershipInline]


@admin.register(models.PoolMembership)
class PoolMembershipAdmin(ReadOnlyAdmin):
    list_display = ["profile", "pool", "added_at", "last_used_at"]
    list_select_related = ["profile", "pool"]
    search_fields = ["profile__name", "pool__name"]
    search_help_text = "A profile's or pool's name."


@admin.register(models.SharedFile)
class SharedFileAdmin(ReadOnlyAdmin):
    list_display = ["name", "agent", "storage_key", "mime_type", "size", "version", "is_frozen", "updated_at"]
    list_filter = ["is_frozen"]
    list_select_related = ["agent"]
    search_fields = ["name", "agent__name", "=id"]
    search_help_text = "A file's or agent's name, or an id."


@admin.register(models.StagedFile)
class StagedFileAdmin(ReadOnlyAdmin):
    list_display = ["name", "organization", "staged_by", "mime_type", "size", "expires_at"]
    list_select_related = ["organization", "staged_by"]
    search_fields = ["name", "organization__name", "=id"]
    search_help_text = "A file's or organization's name, or an id."


@admin.register(models.Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    list_display = ["name", "owner", "organization", "kind", "mime_type", "size", "created_at"]
    list_filter = ["kind"]
    list_select_related = ["owner", "organization"]
    search_fields = ["name", "owner__email", "organization__name", "=id"]
    search_help_text = "A file's or organization's name, a person's address, or an id."
    # What people show to an agent is theirs.
    exclude = ["text"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*self.exclude)


@admin.register(models.AgentServer)
class AgentServerAdmin(ReadOnlyAdmin):
    list_display = ["server", "agent", "assigned_by", "assigned_at"]
    list_select_related = ["server", "agent", "assigned_by"]
    search_fields = ["server__name", "agent__name", "=agent__id"]
    search_help_text = "A server's or agent's name, or an agent's id."
    show_full_result_count = False


@admin.register(models.ScheduledTask)
class ScheduledTaskAdmin(ReadOnlyAdmin):
    """Without the prompt: what people ask is theirs, as their conversations are."""

    list_display = [
        "name", "agent", "organization", "maker", "cron_expression", "time_zone", "is_enabled", "next_due_at", "problem"
    ]  # fmt: skip
    list_filter = ["is_enabled"]
    list_select_related = ["agent", "organization", "maker"]
    search_fields = ["name", "agent__name", "organization__name", "=id"]
    search_help_text = "A task's, agent's or organization's name, or an id."
    exclude = ["prompt"]


@admin.register(models.TaskRun)
class TaskRunAdmin(ReadOnlyAdmin):
    list_display = ["schedule", "due_at", "made_at", "asked_by", "missed", "turn", "problem"]
    list_select_related = ["schedule", "asked_by", "turn"]
    search_fields = ["=schedule__id"]
    search_help_text = "A task's id."
    show_full_result_count = False


@admin.register(models.AgentPerson)
class AgentPersonAdmin(ReadOnlyAdmin):
    list_display = ["user", "agent"]
    list_select_related = ["user", "agent"]
    search_fields = ["user__email", "agent__name", "=agent__id"]
    search_help_text = "A person's address, an agent's name or its id."
    show_full_result_count = False


@admin.register(models.AgentSubject)
class AgentSubjectAdmin(ReadOnlyAdmin):
    list_display = ["source", "subject", "agent"]
    list_filter = ["source"]
    list_select_related = ["agent"]
    search_fields = ["=subject", "agent__name", "=agent__id"]
    search_help_text = "The id of what was given, an agent's name or its id."
    show_full_result_count = False


@admin.register(models.SwitchedOff)
class SwitchedOffAdmin(ReadOnlyAdmin):
    list_display = ["tool", "origin", "agent"]
    list_select_related = ["agent"]
    search_fields = ["tool", "=origin", "agent__name", "=agent__id"]
    search_help_text = "A tool, where it comes from, an agent's name or its id."
    show_full_result_count = False
