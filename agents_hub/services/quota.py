"""How much the files of an organization may take up together."""

from functools import reduce
from operator import add
from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, OuterRef, Subquery, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from accounts.errors import PlanLimit
from accounts.models import Organization
from agents_hub.models import Agent
from agents_hub.models.files import FileQuerySet, kinds_of_files

MIB = 1_048_576


def make_room(organization_id: int, size: int) -> None:
    """Hold the organization until the transaction ends, and raise `PlanLimit` where `size` more bytes do not fit.

    Without the lock, two uploads at once would each find room for itself.
    """
    Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
    used = used_bytes(organization_id)
    quota: int = settings.FILES_QUOTA_BYTES
    if size > 0 and used + size > quota:
        raise PlanLimit(
            f"The organization's files take up {used / MIB:.1f} of {quota / MIB:.0f} MB, and {size / MIB:.1f} MB more "
            "do not fit. Delete files that nobody needs.",
            code="quota_full",
            data={"used": used, "quota": quota},
        )


def used_bytes(organization_id: int) -> int:
    """What files of all kinds take up, in one query."""
    sums = [_sum(rows.counted()) for rows in kinds_of_files().values()]
    total = reduce(add, sums)
    used: int = Organization.objects.filter(pk=organization_id).values_list(total, flat=True).get()
    return used


def used_by(agent: Agent) -> int:
    """What an agent's shared files take up."""
    used: int | None = agent.shared_files.aggregate(used=Sum("size"))["used"]
    return used or 0


def _sum(files: "FileQuerySet[Any]") -> Combinable:
    """What those of the organization of the outer query take up."""
    owner = files.organization_path
    own = files.filter(**{owner: OuterRef("pk")}).order_by().values(owner)
    sizes = own.annotate(total=Sum("size")).values("total")
    return Coalesce(Subquery(sizes, output_field=BigIntegerField()), 0)
