"""The admin of our sign-in: clients are made here, connections are ended, and of tokens only their life is shown.
That of remote servers comes with it.

The toolkit registers its models with these classes, named in its settings; the connection is registered here.
"""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.page_caller import admin_caller
from mcp_gateway.models import Application, Connection
from mcp_gateway.oauth import connections
from mcp_gateway.remote import admin as remote_servers  # noqa: F401  # registers its own


class ApplicationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("__str__", "client_id", "registration_source", "client_type", "created")
    list_filter = ("registration_source", "client_type")
    search_fields = ("name", "client_id", "client_uri", "redirect_uris")
    fields = ("name", "client_id", "client_type", "client_secret", "redirect_uris", "client_uri", "registration_source")
    readonly_fields = ("registration_source",)
    view_on_site = False

    def get_fields(self, request: HttpRequest, obj: Application | None = None) -> Any:
        """The secret can be copied while a client is made; afterwards only its digest is left, which nobody needs."""
        fields = super().get_fields(request, obj)
        return [field for field in fields if field != "client_secret"] if obj else fields


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that the sign-in writes and nobody else."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TokenAdmin(ReadOnlyAdmin):
    list_select_related = ("user", "application")
    search_fields = ("user__email", "application__name", "application__client_id")


class AccessTokenAdmin(TokenAdmin):
    list_display = ("id", "user", "application", "scope", "created", "expires")
    fields = ("user", "application", "scope", "resource", "created", "expires")


class RefreshTokenAdmin(TokenAdmin):
    list_display = ("id", "user", "application", "family_began_at", "created", "revoked")
    fields = ("user", "application", "resource", "token_family", "family_began_at", "created", "revoked")


class GrantAdmin(TokenAdmin):
    list_display = ("id", "user", "application", "scope", "created", "redeemed_at")
    fields = ("user", "application", "scope", "resource", "redirect_uri", "created", "expires", "redeemed_at")


class IDTokenAdmin(TokenAdmin):
    list_display = ("id", "user", "application", "created")
    fields = ("user", "application", "created", "expires")


@admin.register(Connection)
class ConnectionAdmin(TokenAdmin):
    list_display = ("user", "application", "scope", "connected_at", "last_used_at")
    actions = ("disconnect",)
    fields = ("user", "application", "scope", "connected_at", "last_used_at")

    @admin.action(description="Disconnect the selected applications")
    def disconnect(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        """Shut them out at once, in the name of whoever is at the admin."""
        ended = connections.end_for_operator(admin_caller(request), queryset)
        self.message_user(request, f"{ended} application{'' if ended == 1 else 's'} disconnected.")

    def has_disconnect_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("mcp_gateway.change_connection")

    disconnect.allowed_permissions = ["disconnect"]  # type: ignore[attr-defined]
