"""Bots in the admin: what an operator configures can be changed, what happened can only be looked at.

Acting on tickets, members or codes is for the pages and tools: those ask the rules and Discord, a form would not.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from accounts.admin import AuditedAdmin
from bots import models
from security.admin_kinds import ReadOnlyAdmin

if TYPE_CHECKING:
    AnyTabularInline = admin.TabularInline[Any, Any]
else:
    AnyTabularInline = admin.TabularInline


class FactsAdmin(ReadOnlyAdmin):
    """Rows of a table that only grows: no count of them all on every page."""

    show_full_result_count = False
    list_per_page = 50


@admin.register(models.Bot)
class BotAdmin(AuditedAdmin):
    """The token's field is empty and keeps the stored one unless a new one is typed."""

    list_display = ["name", "owner", "application_id", "status", "sandbox", "last_error_at"]
    list_filter = ["status", "sandbox"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__email", "=application_id", "=id"]
    search_help_text = "A name, its owner's e-mail address, or an application id."
    raw_id_fields = ["owner"]
    readonly_fields = ["last_error", "last_error_at", "created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """`manage.py bot add` asks Discord whether the token is right; a form would take any."""
        return False


@admin.register(models.Guild)
class GuildAdmin(ReadOnlyAdmin):
    list_display = ["name", "bot", "discord_id", "member_count", "joined_at", "left_at"]
    list_filter = [("left_at", admin.EmptyFieldListFilter)]
    list_select_related = ["bot"]
    search_fields = ["name", "bot__name", "=discord_id"]
    search_help_text = "A guild's or bot's name, or a guild's Discord id."


@admin.register(models.McpInstall)
class McpInstallAdmin(ReadOnlyAdmin):
    list_display = ["server", "guild", "enabled", "created_at"]
    list_filter = ["enabled"]
    list_select_related = ["server", "guild"]
    search_fields = ["server__name", "guild__name", "=guild__discord_id"]
    search_help_text = "A server's or guild's name, or a guild's Discord id."


@admin.register(models.GuildMembership)
class GuildMembershipAdmin(FactsAdmin):
    list_display = ["username", "display_name", "user_id", "guild", "joined_at", "left_at"]
    list_filter = ["is_bot"]
    list_select_related = ["guild"]
    search_fields = ["username", "display_name", "=user_id"]
    search_help_text = "A name or a Discord user id."


@admin.register(models.Ticket)
class TicketAdmin(FactsAdmin):
    list_display = ["number", "subject", "status", "guild", "opener_name", "created_at", "closed_at"]
    list_filter = ["status", "category"]
    list_select_related = ["guild"]
    search_fields = ["subject", "opener_name", "=opener_id", "=number", "=id"]
    search_help_text = "A subject, an opener's name or Discord id, or a ticket's number."
    date_hierarchy = "created_at"


@admin.register(models.TicketMessage)
class TicketMessageAdmin(FactsAdmin):
    list_display = ["sent_at", "author_name", "ticket", "content"]
    list_select_related = ["ticket"]
    search_fields = ["author_name", "content", "=author_id", "=message_id"]
    search_help_text = "Words of a message, an author's name, or an id."


@admin.register(models.Transcript)
class TranscriptAdmin(FactsAdmin):
    list_display = ["ticket", "messages", "bytes", "sha256", "generated_at"]
    list_select_related = ["ticket"]
    search_fields = ["ticket__subject", "sha256", "=ticket__id"]


@admin.register(models.ModerationCase)
class ModerationCaseAdmin(FactsAdmin):
    list_display = ["number", "action", "status", "user_name", "guild", "moderator_name", "created_at", "expires_at"]
    list_filter = ["action", "status", "automatic"]
    list_select_related = ["guild"]
    search_fields = ["user_name", "reason", "moderator_name", "=user_id", "=number", "=id"]
    search_help_text = "A member's name or Discord id, words of the reason, or a case's number."
    date_hierarchy = "created_at"


class RewardInline(AnyTabularInline):
    model = models.GiftReward
    extra = 0
    can_delete = False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(models.GiftCode)
class GiftCodeAdmin(FactsAdmin):
    list_display = ["prefix", "bot", "guild", "uses", "max_uses", "created_at", "expires_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["bot", "guild"]
    search_fields = ["prefix", "bot__name", "guild__name", "=id"]
    search_help_text = "A code's first characters, or a bot's or guild's name. The code itself is not stored."
    exclude = ["digest"]
    inlines = [RewardInline]


@admin.register(models.GiftReward)
class GiftRewardAdmin(FactsAdmin):
    list_display = ["code", "position", "kind", "role_id", "duration_seconds", "amount"]
    list_filter = ["kind"]
    list_select_related = ["code"]
    search_fields = ["code__prefix", "=role_id"]


@admin.register(models.Redemption)
class RedemptionAdmin(FactsAdmin):
    list_display = ["redeemed_at", "user_name", "user_id", "code", "guild"]
    list_select_related = ["code", "guild"]
    search_fields = ["user_name", "code__prefix", "=user_id"]


@admin.register(models.RewardGrant)
class RewardGrantAdmin(FactsAdmin):
    list_display = ["reward", "redemption", "status", "given_at", "remove_at", "failure"]
    list_filter = ["status"]
    list_select_related = ["reward", "redemption__code"]
    search_fields = ["redemption__user_name", "failure", "=redemption__user_id"]


@admin.register(models.MemberXP)
class MemberXPAdmin(FactsAdmin):
    list_display = ["user_id", "guild", "xp", "updated_at"]
    list_select_related = ["guild"]
    search_fields = ["guild__name", "=user_id"]


@admin.register(models.CurrencyLedger)
class CurrencyLedgerAdmin(FactsAdmin):
    list_display = ["created_at", "user_id", "amount", "reason", "guild"]
    list_select_related = ["guild"]
    search_fields = ["reason", "guild__name", "=user_id"]


@admin.register(models.ActivityBucket)
class ActivityBucketAdmin(FactsAdmin):
    list_display = ["hour", "guild", "channel_id", "messages", "bot_messages", "commands", "voice_seconds"]
    list_select_related = ["guild"]
    search_fields = ["=guild__discord_id", "=channel_id"]
    search_help_text = "The Discord id of a guild or channel."


@admin.register(models.CommandInvocation)
class CommandInvocationAdmin(FactsAdmin):
    list_display = ["at", "command", "bot", "succeeded", "error_code", "latency_ms"]
    list_filter = ["succeeded"]
    list_select_related = ["bot"]
    search_fields = ["command", "error_code", "=user_id"]


@admin.register(models.MemberDay)
class MemberDayAdmin(FactsAdmin):
    list_display = ["day", "membership", "messages", "voice_seconds"]
    list_select_related = ["membership"]
    search_fields = ["membership__username", "=membership__user_id"]


@admin.register(models.RoiSettings)
class RoiSettingsAdmin(AuditedAdmin):
    list_display = ["bot", "minutes_per_answer", "minutes_per_ticket", "minutes_per_moderation"]
    list_select_related = ["bot"]
    search_fields = ["bot__name"]
    raw_id_fields = ["bot"]


@admin.register(models.RoiSnapshot)
class RoiSnapshotAdmin(FactsAdmin):
    list_display = ["day", "bot", "guild", "bot_messages", "members_retained", "cohort_size", "hours_saved"]
    list_select_related = ["bot", "guild"]
    search_fields = ["bot__name", "guild__name"]


@admin.register(models.RateLimitBucket)
class RateLimitBucketAdmin(FactsAdmin):
    list_display = ["name", "major", "remaining", "limit", "resets_at", "used_at"]
    search_fields = ["name", "=major"]


@admin.register(models.RateLimitRoute)
class RateLimitRouteAdmin(FactsAdmin):
    list_display = ["name", "bucket"]
    search_fields = ["name", "bucket"]
