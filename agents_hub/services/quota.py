"""How much the files of an organization may take up together."""

from django.conf import settings
from django.db.models import BigIntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.errors import PlanLimit
from accounts.models import Organization
from agents_hub.models import Agent, SharedFile, StagedFile

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
            "do not fit. Delete files that nobody needs any more.",
            code="quota_full",
            data={"used": used, "quota": quota},
        )


def used_bytes(organization_id: int) -> int:
    """What shared and staged files take up, in one query."""
    shared = _sum(SharedFile.objects.filter(agent__organization=OuterRef("pk")), "agent__organization")
    staged = _sum(StagedFile.objects.filter(organization=OuterRef("pk")), "organization")
    used: int = Organization.objects.filter(pk=organization_id).values_list(shared + staged, flat=True).get()
    return used


def used_by(agent: Agent) -> int:
    """What an agent's shared files take up."""
    used: int | None = agent.shared_files.aggregate(used=Sum("size"))["used"]
    return used or 0


def _sum(files: "QuerySet[SharedFile] | QuerySet[StagedFile]", owner: str) -> Coalesce:
    sizes = files.order_by().values(owner).annotate(total=Sum("size")).values("total")
    return Coalesce(Subquery(sizes, output_field=BigIntegerField()), 0)
