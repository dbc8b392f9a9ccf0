"""How the history of schedules stays bounded: of each, its latest runs are kept. What the runs started stays."""

from typing import Any

from django.db import models

# Of one schedule: a week of one that runs every ten minutes.
KEPT = 1_000


def keep_latest(schedules: "models.QuerySet[Any]", runs: "models.Manager[Any]") -> int:
    """Take away the runs of each schedule beyond its latest; how many.

    The plan: the index of runs by schedule, the latest first, which finds the first one to go.
    """
    total = 0
    for schedule in schedules.values_list("pk", flat=True).iterator():
        latest = runs.filter(schedule=schedule).order_by("-id").values_list("pk", flat=True)
        for last in latest[KEPT : KEPT + 1]:
            total += runs.filter(schedule=schedule, pk__lte=last).delete()[0]
    return total
