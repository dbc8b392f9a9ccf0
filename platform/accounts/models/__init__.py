"""The rows of accounts: people, organizations, plans, usage and keys."""

from accounts.models.addresses import AddressChange
from accounts.models.api_keys import ApiKey
from accounts.models.organizations import Invitation, Membership, Organization, Role
from accounts.models.plans import FREE, Period, Plan, Subscription, TokenUsage
from accounts.models.users import User

__all__ = [
    "FREE",
    "AddressChange",
    "ApiKey",
    "Invitation",
    "Membership",
    "Organization",
    "Period",
    "Plan",
    "Role",
    "Subscription",
    "TokenUsage",
    "User",
]
