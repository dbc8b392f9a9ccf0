"""Workflows in the admin: found and read here. What is done with them goes by pages and tools, whose services hold to
the table of statuses and to the fence."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from security.admin_kinds import ReadOnlyAdmin
from workflows import models


@admin.register(models.Workflow)
class WorkflowAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "agent", "version", "author", "created_at"]
    list_select_related = ["agent", "author"]
    search_fields = ["agent__name", "=id"]
    search_help_text = "An agent's name, or an id."
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found = super().get_queryset(request)
        one = request.resolver_match is not None and "object_id" in request.resolver_match.kwargs
        return found if one else found.defer(*models.Workflow.CONTENT)


@admin.register(models.Publication)
class PublicationAdmin(ReadOnlyAdmin):
    list_display = ["agent", "workflow", "published_by", "published_at"]
    list_select_related = ["agent", "workflow", "published_by"]
    search_fields = ["agent__name"]
    search_help_text = "An agent's name."


@admin.register(models.Execution)
class ExecutionAdmin(ReadOnlyAdmin):
    list_display = ["id", "agent", "organization", "status", "trigger", "runner", "created_at", "terminal_at"]
    list_filter = ["status", "trigger"]
    list_select_related = ["agent", "organization", "runner"]
    search_fields = ["agent__name", "organization__name", "=id"]
    search_help_text = "An agent's or organization's name, or an id."
    show_full_result_count = False


@admin.register(models.LastServed)
class LastServedAdmin(ReadOnlyAdmin):
    list_display = ["organization", "at"]
    list_select_related = ["organization"]
    search_fields = ["organization__name"]
    search_help_text = "An organization's name."


class OfExecutionAdmin(ReadOnlyAdmin):
    """Rows of executions: found by the execution's id, the only way that stays quick however many there are."""

    search_fields = ["=execution__id"]
    search_help_text = "An execution's id."
    show_full_result_count = False
    list_select_related = ["execution"]


@admin.register(models.Step)
class StepAdmin(OfExecutionAdmin):
    list_display = ["execution", "number", "node_name", "node_type", "succeeded", "started_at", "ended_at"]


@admin.register(models.Checkpoint)
class CheckpointAdmin(OfExecutionAdmin):
    list_display = ["execution", "step", "number", "kind", "at"]


@admin.register(models.Activity)
class ActivityAdmin(OfExecutionAdmin):
    list_display = ["execution", "number", "type", "at"]


@admin.register(models.UserMessage)
class UserMessageAdmin(OfExecutionAdmin):
    list_display = ["execution", "user", "at", "seen_in_step"]
    list_select_related = ["execution", "user"]


@admin.register(models.ExecutionFile)
class ExecutionFileAdmin(OfExecutionAdmin):
    list_display = ["name", "execution", "directory", "mime_type", "size", "created_by", "updated_at"]
    list_filter = ["directory", "created_by"]


@admin.register(models.Label)
class LabelAdmin(ReadOnlyAdmin):
    list_display = ["name", "color", "organization", "created_at"]
    list_select_related = ["organization"]
    search_fields = ["name", "organization__name", "=id"]
    search_help_text = "A label's or organization's name, or an id."


@admin.register(models.Comment)
class CommentAdmin(OfExecutionAdmin):
    list_display = ["execution", "user", "public", "created_at", "updated_at"]
    list_select_related = ["execution", "user"]


@admin.register(models.Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = [
        "name", "agent", "organization", "maker", "cron_expression", "time_zone", "is_enabled", "next_due_at", "problem"
    ]  # fmt: skip
    list_filter = ["is_enabled"]
    list_select_related = ["agent", "organization", "maker"]
    search_fields = ["name", "agent__name", "organization__name", "=id"]
    search_help_text = "A schedule's, agent's or organization's name, or an id."


@admin.register(models.ScheduleRun)
class ScheduleRunAdmin(ReadOnlyAdmin):
    list_display = ["schedule", "due_at", "made_at", "asked_by", "missed", "execution", "problem"]
    list_select_related = ["schedule", "asked_by", "execution"]
    search_fields = ["=schedule__id"]
    search_help_text = "A schedule's id."
    show_full_result_count = False


@admin.register(models.WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    list_display = ["url", "organization", "enabled", "failing_since", "created_at"]
    list_filter = ["enabled"]
    list_select_related = ["organization"]
    search_fields = ["url", "organization__name", "=id"]
    search_help_text = "An address, an organization's name, or an id."
    exclude = ["secret", "old_secret"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The sealed fields are not even read."""
        return super().get_queryset(request).defer("secret", "old_secret")


@admin.register(models.WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "event", "endpoint", "state", "attempts", "response_status", "due_at"]
    list_filter = ["state"]
    list_select_related = ["endpoint"]
    search_fields = ["=endpoint__id", "=execution__id", "=message_id"]
    search_help_text = "The id of an endpoint, an execution or a message."
    show_full_result_count = False
