"""The audit and the attempts' counters in the admin: looked at, never written."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from security.admin_kinds import ReadOnlyAdmin
from security.models import AuditEntry, ThrottleCounter


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = [
        "at",
        "action",
        "tool",
        "outcome",
        "error_code",
        "user_id",
        "api_key_id",
        "application_id",
        "door",
        "ip",
    ]
    list_filter = ["outcome", "door", "at"]
    search_fields = ["action", "target", "request_id", "=user_id", "=application_id"]
    search_help_text = "An action, a target, a request id, or the number of a person or an application."
    # A count of all rows reads all of them, and this table only grows.
    show_full_result_count = False


@admin.register(ThrottleCounter)
class ThrottleCounterAdmin(ReadOnlyAdmin):
    """Deleting a counter lets its address or account try again at once."""

    list_display = ["key", "count", "expires_at"]
    list_filter = ["expires_at"]
    search_fields = ["key"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("security.delete_throttlecounter")
