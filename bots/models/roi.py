"""Return on investment: the minutes an owner believes each piece of work takes, and what was computed with them."""

from django.core.validators import MaxValueValidator
from django.db import models

from bots.models.bots import Bot
from bots.models.guilds import Guild
from bots.models.tenancy import OwnedQuerySet

DAY_IN_MINUTES = 1440


class RoiSettingsQuerySet(OwnedQuerySet["RoiSettings"]):
    pass


class RoiSettings(models.Model):
    """What a person would have spent on each piece of work the bot did. The owner's estimate, in minutes."""

    bot = models.OneToOneField(Bot, on_delete=models.CASCADE, related_name="roi_settings")
    minutes_per_answer = models.FloatField(default=2, validators=[MaxValueValidator(DAY_IN_MINUTES)])
    minutes_per_ticket = models.FloatField(default=6, validators=[MaxValueValidator(DAY_IN_MINUTES)])
    minutes_per_moderation = models.FloatField(default=3, validators=[MaxValueValidator(DAY_IN_MINUTES)])

    objects = RoiSettingsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "ROI settings"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(minutes_per_answer__gte=0, minutes_per_ticket__gte=0, minutes_per_moderation__gte=0),
                name="roi_minutes_not_negative",
            )
        ]

    def __str__(self) -> str:
        return f"Minutes for {self.bot}"


class RoiSnapshotQuerySet(OwnedQuerySet["RoiSnapshot"]):
    pass


class RoiSnapshot(models.Model):
    """The return of the 30 days that end with `day`, kept as it was computed then. Without a guild: the whole bot."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="roi_snapshots")
    guild = models.ForeignKey(Guild, null=True, blank=True, on_delete=models.CASCADE, related_name="roi_snapshots")
    day = models.DateField()
    bot_messages = models.PositiveBigIntegerField()
    members_retained = models.PositiveIntegerField()
    cohort_size = models.PositiveIntegerField()
    ai_tokens = models.PositiveBigIntegerField()
    answers = models.PositiveBigIntegerField()
    tickets = models.PositiveIntegerField()
    moderations = models.PositiveIntegerField()
    hours_saved = models.FloatField()
    computed_at = models.DateTimeField(auto_now=True)

    objects = RoiSnapshotQuerySet.as_manager()

    class Meta:
        verbose_name = "ROI snapshot"
        constraints = [
            models.UniqueConstraint(
                fields=["bot", "guild", "day"], nulls_distinct=False, name="roi_snapshot_once_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.bot}, 30 days to {self.day}"
