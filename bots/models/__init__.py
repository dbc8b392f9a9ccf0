"""The rows of bots, one module a subject."""

from bots.models.activity import ActivityBucket, CommandInvocation, MemberDay
from bots.models.bots import Bot
from bots.models.economy import CurrencyLedger, MemberXP
from bots.models.gift_codes import GiftCode, GiftReward, Redemption, RewardGrant, RewardKind
from bots.models.guilds import Guild, GuildMembership
from bots.models.installs import McpInstall
from bots.models.moderation import ModerationCase
from bots.models.rate_limits import RateLimitBucket, RateLimitRoute
from bots.models.roi import RoiSettings, RoiSnapshot
from bots.models.tickets import Ticket, TicketMessage, Transcript

__all__ = [
    "ActivityBucket",
    "Bot",
    "CommandInvocation",
    "CurrencyLedger",
    "GiftCode",
    "GiftReward",
    "Guild",
    "GuildMembership",
    "McpInstall",
    "MemberDay",
    "MemberXP",
    "ModerationCase",
    "RateLimitBucket",
    "RateLimitRoute",
    "Redemption",
    "RewardGrant",
    "RewardKind",
    "RoiSettings",
    "RoiSnapshot",
    "Ticket",
    "TicketMessage",
    "Transcript",
]
