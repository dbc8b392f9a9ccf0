"""What every product's schedules have in common, as abstract models; the scheduler has no tables of its own.

A schedule is due while `next_due_at` has passed. Whoever takes it moves that into the future and makes the run in one
transaction (`services.due`), and a run is unique by its due time: two workers never make two runs for one of them.
"""

from datetime import datetime
from typing import ClassVar, Self, TypeVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Organization, User
from scheduling.cron import Cron
from security.identifiers import uuid7

S = TypeVar("S", bound="AbstractSchedule")


class Overlap(models.TextChoices):
    """What is done at a due time while the previous run is still going."""

    SKIP = "skip", "Skip that time"
    BESIDE = "beside", "Run beside it"


class ScheduleQuerySet(models.QuerySet[S]):
    def for_caller(self, caller: Caller) -> Self:
        """Those of the organizations the caller belongs to."""
        # One membership a person and organization: the join never doubles a row.
        return self.filter(organization__memberships__user_id=caller.user_id)

    def in_trouble(self) -> Self:
        """Those whose latest due run could not be started."""
        return self.filter(problem_since__isnull=False)


class AbstractSchedule(models.Model):
    """When something is to be done again and again, and for whom. What is to be done is the product's."""

    WITHOUT_ITS_MAKER: ClassVar[str] = "Somebody who belongs to the organization has to make it their own by saving it."
    """What to do with one whose maker is gone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    maker = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", help_text="In whose name it runs."
    )
    name = models.CharField(max_length=100)
    cron_expression = models.CharField(max_length=100)
    time_zone = models.CharField(max_length=64, help_text="A name of the IANA database.")
    overlap = models.CharField(
        max_length=6,
        choices=Overlap.choices,
        default=Overlap.SKIP,
        db_default=Overlap.SKIP,
        help_text="What is done at a due time while the previous run is still going.",
    )
    is_enabled = models.BooleanField("enabled", default=True)
    next_due_at = models.DateTimeField(null=True, blank=True, help_text="None while it is disabled.")
    last_due_at = models.DateTimeField(null=True, blank=True, help_text="The due time that was taken last.")
    created_at = models.DateTimeField(default=timezone.now)

    # Why its latest due run could not be started, and since when none could be. Empty while they can.
    problem = models.TextField(blank=True)
    problem_since = models.DateTimeField(null=True, blank=True)
    owner_told_at = models.DateTimeField(null=True, blank=True, help_text="When the maker was mailed about it.")

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(is_enabled=True, next_due_at__isnull=False) | Q(is_enabled=False, next_due_at__isnull=True),
                name="%(app_label)s_%(class)s_due_while_enabled",
            ),
            models.CheckConstraint(condition=Q(overlap__in=Overlap.values), name="%(app_label)s_%(class)s_overlap"),
        ]
        indexes = [
            models.Index(
                fields=["next_due_at"], condition=Q(next_due_at__isnull=False), name="%(app_label)s_%(class)s_due"
            ),
            models.Index(
                fields=["problem_since"],
                condition=Q(problem_since__isnull=False, owner_told_at__isnull=True),
                name="%(app_label)s_%(class)s_tell",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def cron(self) -> Cron:
        """Raises `Invalid` where the zone has left the machine's database since it was stored."""
        return Cron.read(self.cron_expression, self.time_zone)

    def set_time(self, cron: Cron, now: datetime) -> None:
        """From now on it runs at other times. What was due by the old ones and is not done yet is not made up for."""
        if (self.cron_expression, self.time_zone) != (cron.expression, cron.time_zone):
            self.cron_expression, self.time_zone = cron.expression, cron.time_zone
            self.next_due_at = cron.next_after(now) if self.is_enabled else None

    def enable(self, now: datetime) -> None:
        """Due times that passed while it was disabled are not made up for."""
        if not self.is_enabled:
            self.is_enabled, self.next_due_at = True, self.cron.next_after(now)

    def disable(self) -> None:
        self.is_enabled, self.next_due_at = False, None

    def move_on(self, now: datetime) -> None:
        """The due time is taken; the next one lies in the future, however many have passed."""
        self.last_due_at, self.next_due_at = self.next_due_at, self.cron.next_after(now)

    def note_trouble(self, problem: str, now: datetime) -> None:
        if self.problem_since is None:
            self.problem_since, self.owner_told_at = now, None
        self.problem = problem

    def forget_trouble(self) -> None:
        self.problem, self.problem_since, self.owner_told_at = "", None, None


class AbstractRun(models.Model):
    """One due time of a schedule, or one press of “Run now”, and what came of it. The product adds what it started."""

    due_at = models.DateTimeField(null=True, blank=True, help_text="None for a run that somebody asked for.")
    made_at = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    missed = models.PositiveIntegerField(
        default=0, help_text="Later due times that had passed too and have no run of their own."
    )
    is_skipped = models.BooleanField(
        "skipped", default=False, db_default=False, help_text="The previous run was still going."
    )
    problem = models.TextField(blank=True, help_text="Why it could not be started.")

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["schedule", "due_at"], name="%(app_label)s_%(class)s_once"),
        ]
        indexes = [models.Index(fields=["schedule", "-id"], name="%(app_label)s_%(class)s_latest")]

    def __str__(self) -> str:
        moment = self.due_at or self.made_at
        return f"{'Due' if self.due_at else 'Asked for'} at {moment:%Y-%m-%d %H:%M}"

    @property
    def was_started(self) -> bool:
        return not (self.problem or self.is_skipped)
