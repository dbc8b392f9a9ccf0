"""The plans a new platform starts with. From then on they are rows, edited in the admin."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.db import router

from accounts.models import Plan

UNLIMITED = None
CATALOGUE: tuple[tuple[str, str, tuple[int | None, ...]], ...] = (
    ("FREE", "Free", (1, 3, 10_000, 1, 50, 0)),
    ("STARTER", "Starter", (2, 10, 100_000, 5, 500, 0)),
    ("CREATOR", "Creator Edition", (5, 50, 500_000, 20, 2_000, 5)),
    ("GROWTH", "Growth", (20, 500, 2_500_000, 50, 10_000, 25)),
    ("STUDIO", "Studio", (UNLIMITED,) * 6),
)


def fill_catalogue(sender: AppConfig, using: str, apps: Apps = current_apps, **_: Any) -> None:
    """After migrating, and after a flush: give a platform without any plan its first ones."""
    try:
        plan_model = apps.get_model("accounts", "Plan")
    except LookupError:
        return
    if not router.allow_migrate_model(using, plan_model) or plan_model.objects.using(using).exists():
        return
    plan_model.objects.using(using).bulk_create(
        plan_model(code=code, name=name, rank=rank, **dict(zip(Plan.LIMITS, limits, strict=True)))
        for rank, (code, name, limits) in enumerate(CATALOGUE, start=1)
    )
