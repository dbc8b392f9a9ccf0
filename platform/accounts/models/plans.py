"""Plans with their limits, who is subscribed to which, and the AI tokens used."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.conf import settings
from django.db import models
from django.utils import timezone

FREE = "FREE"


class Plan(models.Model):
    """A tier. Limits are data, edited in the admin; an empty limit means unlimited."""

    code = models.SlugField(max_length=20, unique=True)
    name = models.CharField(max_length=40)
    rank = models.PositiveSmallIntegerField(unique=True, help_text="Higher includes lower.")
    max_bots = models.PositiveIntegerField("bots", null=True, blank=True)
    max_guilds = models.PositiveIntegerField("guilds", null=True, blank=True)
    monthly_ai_tokens = models.PositiveBigIntegerField("AI tokens a month", null=True, blank=True)
    max_active_gift_codes = models.PositiveIntegerField("active gift codes", null=True, blank=True)
    max_redemptions_per_code = models.PositiveIntegerField("redemptions per gift code", null=True, blank=True)
    max_mcp_installs = models.PositiveIntegerField("MCP installs", null=True, blank=True)

    LIMITS = (
        "max_bots",
        "max_guilds",
        "monthly_ai_tokens",
        "max_active_gift_codes",
        "max_redemptions_per_code",
        "max_mcp_installs",
    )

    class Meta:
        ordering = ["rank"]

    def __str__(self) -> str:
        return self.name

    def limit(self, name: str) -> int | None:
        """How much of `name`, one of `LIMITS`, the plan includes; nothing means unlimited."""
        if name not in self.LIMITS:
            raise ValueError(f"{name} is not a limit of a plan; the limits are {', '.join(self.LIMITS)}.")
        allowed: int | None = getattr(self, name)
        return allowed

    @classmethod
    def limit_label(cls, name: str) -> str:
        """What the limit counts, in words: "gift codes"."""
        return str(cls._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True)
class Period:
    """A month of a subscription, from midnight UTC of `first` up to midnight UTC of `next_first`."""

    first: date
    next_first: date

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time.min, UTC)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.next_first, time.min, UTC)


def months_after(anchor: date, months: int) -> date:
    """The same day of a later month, or that month's last day where it is shorter."""
    year, month = divmod(anchor.month - 1 + months, 12)
    year, month = anchor.year + year, month + 1
    return date(year, month, min(anchor.day, calendar.monthrange(year, month)[1]))


class Subscription(models.Model):
    """A person's plan. Its months begin on the day of `started_on`; nothing has to run for a new one to begin."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subscription")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="subscriptions")
    started_on = models.DateField(help_text="Its day is the day of the month on which quotas begin anew (UTC).")
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text="Set when it will not renew: from then on the person is on FREE."
    )

    def __str__(self) -> str:
        return f"{self.user}: {self.plan}"

    def period(self, at: datetime | None = None) -> Period:
        """The month in which `at` (now) lies."""
        today = (at or timezone.now()).astimezone(UTC).date()
        months = max(0, (today.year - self.started_on.year) * 12 + today.month - self.started_on.month)
        if months and months_after(self.started_on, months) > today:
            months -= 1
        return Period(months_after(self.started_on, months), months_after(self.started_on, months + 1))

    @property
    def period_start(self) -> datetime:
        return self.period().start

    @property
    def renews_at(self) -> datetime | None:
        """When the next month begins, or nothing where the subscription ends instead."""
        return None if self.ends_at else self.period().end

    @property
    def has_ended(self) -> bool:
        return self.ends_at is not None and self.ends_at <= timezone.now()


class TokenUsage(models.Model):
    """AI tokens charged to a person on one UTC day, by the product that used them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="token_usage")
    day = models.DateField()
    product = models.SlugField(max_length=20)
    tokens = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = "AI token use"
        verbose_name_plural = "AI token use"
        constraints = [models.UniqueConstraint(fields=["user", "day", "product"], name="token_usage_once_a_day")]

    def __str__(self) -> str:
        return f"{self.user} {self.day} {self.product}: {self.tokens}"
