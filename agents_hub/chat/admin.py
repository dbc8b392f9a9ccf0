"""Chats in the admin: found and read here, never written. Who talked to which agent, when, and how it ended is for all
operators; what was said is for superusers alone, and each look at it is in the audit."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.page_caller import admin_caller
from agents_hub import models
from security import audit
from security.admin_kinds import ReadOnlyAdmin
from security.identifiers import uuid_or_none


class OfConversation(ReadOnlyAdmin):
    """Rows of conversations. They are found by ids and by whole addresses, the ways that stay quick however many rows
    there are, and that tell nothing of what was said."""

    # The fields that hold what somebody said, or what a tool was given and gave.
    said: ClassVar[tuple[str, ...]] = ()
    # From the row to its conversation, as lookups spell it; empty for the conversation itself.
    up: ClassVar[str] = "conversation__"
    # What may be named by its id to find its rows.
    found_by: ClassVar[tuple[str, ...]] = ("pk", "conversation")
    search_help_text = "An id, or the whole e-mail address of the person whose conversation it is."
    show_full_result_count = False
    ordering = ["-pk"]

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [] if _may_read(request) else list(self.said)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found = super().get_queryset(request)
        return found if _may_read(request) and _is_of_one(request) else found.defer(*self.said)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Django lets an address filter by any field of the row itself, so a text could be guessed letter by letter."""
        return lookup.split("__")[0] not in self.said and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if (named := uuid_or_none(term)) is not None:
            wanted = Q()
            for field in self.found_by:
                wanted |= Q(**{field: named})
            return queryset.filter(wanted), False
        people = User.objects.filter(email=term.lower()).values("pk")
        return queryset.filter(**{f"{self.up}owner__in": people}), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        page = super().change_view(request, object_id, form_url, extra_context)
        if self.said and _may_read(request) and page.status_code == 200:
            target = f"{self.opts.model_name}:{object_id}"
            audit.record("chat.read_by_operator", caller=admin_caller(request), target=target[:200])
        return page


class OfTurn(OfConversation):
    up = "turn__conversation__"
    found_by: ClassVar[tuple[str, ...]] = ("turn", "turn__conversation")


@admin.register(models.Conversation)
class ConversationAdmin(OfConversation):
    said = ("title", "draft")
    up = ""
    found_by = ("pk", "agent")
    list_display = ["id", "agent", "owner", "organization", "pinned_at", "created_at", "updated_at"]
    list_select_related = ["agent", "owner", "organization"]
    search_fields = ["=id", "=agent__id", "=owner__email"]
    search_help_text = "An id, an agent's id, or the whole e-mail address of the person whose conversation it is."


@admin.register(models.Message)
class MessageAdmin(OfConversation):
    said = ("text",)
    list_display = ["id", "conversation_id", "speaker", "created_at"]
    list_filter = ["speaker"]
    search_fields = ["=id", "=conversation__id", "=conversation__owner__email"]


@admin.register(models.Grant)
class GrantAdmin(OfConversation):
    found_by = ("conversation",)
    list_display = ["tool", "conversation_id", "granted_at"]
    search_fields = ["=conversation__id", "=conversation__owner__email"]


@admin.register(models.Turn)
class TurnAdmin(OfConversation):
    list_display = [
        "id", "conversation_id", "status", "error_code", "model", "rounds", "input_tokens", "output_tokens", "cost_usd",
        "created_at", "ended_at",
    ]  # fmt: skip
    list_filter = ["status"]
    search_fields = ["=id", "=conversation__id", "=conversation__owner__email"]


@admin.register(models.TurnStep)
class TurnStepAdmin(OfTurn):
    said = ("body",)
    list_display = ["turn_id", "number", "kind"]
    list_filter = ["kind"]
    search_fields = ["=turn__id", "=turn__conversation__owner__email"]


@admin.register(models.TurnEvent)
class TurnEventAdmin(OfTurn):
    said = ("body",)
    list_display = ["turn_id", "number", "kind"]
    search_fields = ["=turn__id", "=turn__conversation__owner__email"]


@admin.register(models.ToolUse)
class ToolUseAdmin(OfTurn):
    said = ("arguments", "result")
    found_by = ("pk", "turn", "turn__conversation")
    list_display = ["id", "turn_id", "title", "origin_name", "status", "started_at", "ended_at"]
    list_filter = ["status"]
    search_fields = ["=id", "=turn__id", "=turn__conversation__owner__email"]


@admin.register(models.Inquiry)
class InquiryAdmin(OfTurn):
    # A server writes its question from what it was given.
    said = ("message", "schema", "url", "answer")
    found_by = ("pk", "turn", "turn__conversation")
    list_display = ["id", "turn_id", "kind", "asked_by", "asked_at", "answered_at"]
    list_filter = ["kind"]
    search_fields = ["=id", "=turn__id", "=turn__conversation__owner__email"]


@admin.register(models.TurnCall)
class TurnCallAdmin(OfTurn):
    said = ("question", "answer")
    list_display = ["turn_id", "number", "at", "model", "input_tokens", "output_tokens", "duration_ms", "error"]
    search_fields = ["=turn__id", "=turn__conversation__owner__email"]


def _may_read(request: HttpRequest) -> bool:
    """Whether what people said is shown to whoever is at the admin."""
    return bool(getattr(request.user, "is_superuser", False))


def _is_of_one(request: HttpRequest) -> bool:
    return request.resolver_match is not None and "object_id" in request.resolver_match.kwargs
