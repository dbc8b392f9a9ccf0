"""Remote servers in the admin: found and read here, with no secret on any page. What an operator may do is to disable
a server at once; all else goes by the pages, whose services ask the organization's admins."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.page_caller import admin_caller
from mcp_gateway import models
from mcp_gateway.remote.services import servers
from security.admin_kinds import ReadOnlyAdmin


class SecretiveAdmin(ReadOnlyAdmin):
    """Rows with sealed fields, which are not even read."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*(self.exclude or ()))


@admin.register(models.RemoteServer)
class RemoteServerAdmin(SecretiveAdmin):
    list_display = ["name", "organization", "transport", "auth_type", "enabled", "test_code", "fault_code"]
    list_filter = ["enabled", "transport", "auth_type", "client_mode"]
    list_select_related = ["organization"]
    search_fields = ["name", "url", "organization__name", "=id"]
    search_help_text = "A name, an address, an organization's name, or an id."
    exclude = ["headers", "client_secret"]
    actions = ["disable"]

    @admin.action(description="Disable the selected servers")
    def disable(self, request: HttpRequest, queryset: QuerySet[models.RemoteServer]) -> None:
        """Stop their tools from being offered, in the name of whoever is at the admin."""
        disabled = servers.disable_for_operator(admin_caller(request), queryset)
        self.message_user(request, f"{disabled} server{'' if disabled == 1 else 's'} disabled.")

    def has_disable_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("mcp_gateway.change_remoteserver")

    disable.allowed_permissions = ["disable"]  # type: ignore[attr-defined]


@admin.register(models.RemoteTool)
class RemoteToolAdmin(ReadOnlyAdmin):
    list_display = ["name", "server", "enabled", "ask_first", "changed_at", "gone_at"]
    list_filter = ["enabled", "ask_first"]
    list_select_related = ["server"]
    search_fields = ["name", "server__name", "=server__id"]
    search_help_text = "A tool's or server's name, or a server's id."
    show_full_result_count = False


@admin.register(models.RemoteConnection)
class RemoteConnectionAdmin(SecretiveAdmin):
    list_display = ["user", "server", "status", "error_code", "expires_at", "refresh_due_at", "attempts"]
    list_filter = ["status"]
    list_select_related = ["user", "server"]
    search_fields = ["user__email", "server__name", "issuer", "=id"]
    search_help_text = "A person's address, a server's name, an issuer, or an id."
    exclude = ["provider", "access_token", "refresh_token"]
    show_full_result_count = False


@admin.register(models.RemoteClient)
class RemoteClientAdmin(SecretiveAdmin):
    list_display = ["server", "issuer", "secret_expires_at", "created_at"]
    list_select_related = ["server"]
    search_fields = ["server__name", "issuer"]
    search_help_text = "A server's name, or an issuer."
    exclude = ["registration"]


@admin.register(models.RemoteSignIn)
class RemoteSignInAdmin(SecretiveAdmin):
    list_display = ["user", "server", "created_at", "expires_at"]
    list_select_related = ["user", "server"]
    search_fields = ["user__email", "server__name"]
    search_help_text = "A person's address, or a server's name."
    exclude = ["pending"]


@admin.register(models.RemoteHealth)
class RemoteHealthAdmin(ReadOnlyAdmin):
    list_display = ["server", "code", "failures", "failed_at", "closed_until"]
    list_select_related = ["server"]
    search_fields = ["server__name", "=server__id"]
    search_help_text = "A server's name or id."


@admin.register(models.RemoteIssuer)
class RemoteIssuerAdmin(ReadOnlyAdmin):
    list_display = ["issuer", "failures", "closed_until", "updated_at"]
    search_fields = ["issuer"]


@admin.register(models.RemoteCall)
class RemoteCallAdmin(ReadOnlyAdmin):
    list_display = ["at", "server", "tool", "outcome", "error_code", "duration_ms", "user"]
    list_filter = ["outcome"]
    list_select_related = ["server", "user"]
    search_fields = ["tool", "server__name", "=server__id"]
    search_help_text = "A tool's or server's name, or a server's id."
    show_full_result_count = False
