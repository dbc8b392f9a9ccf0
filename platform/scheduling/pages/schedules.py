"""All schedules of an organization, one with its history, and what can be done with it whatever kind it is of."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import DomainError, Invalid, NotFound
from accounts.page_caller import caller
from dashboard.frame import PAGE_SIZE, organization_of, page_number
from dashboard.paging import keyset_page
from dashboard.sorting import Direction, sorting
from scheduling.forms import RUNS_SHOWN, TimeForm
from scheduling.models import AbstractSchedule
from scheduling.registry import Kind, kinds
from scheduling.services import listing

COLUMNS: dict[str, Direction] = {"next_due_at": "asc", "name": "asc"}
LIST = "scheduling:schedules"


@require_safe
@login_required
def schedule_list(request: HttpRequest) -> HttpResponse:
    organization, order = organization_of(request), sorting(request, COLUMNS)
    page = listing.list_schedules(
        caller(request),
        organization_id=organization.pk,
        field=order.field,
        direction=order.direction,
        number=page_number(request),
        size=PAGE_SIZE,
    )
    context = {"page": page, "sorting": order, "organization": organization, "kinds": kinds.all()}
    return render(request, "scheduling/schedules.html", context)


@require_safe
@login_required
def schedule_page(request: HttpRequest, kind: str, schedule_id: UUID) -> HttpResponse:
    one, who = _kind(kind), caller(request)
    schedule = one.verbs.find(who, schedule_id)
    runs = one.runs(schedule).select_related("asked_by", *one.runs_with)
    context = {
        "kind": one,
        "schedule": schedule,
        "page": keyset_page(request, runs),
        "may": one.may(who, schedule),
        **_time_of(schedule),
    }
    return render(request, "scheduling/schedule.html", context)


@require_POST
@login_required
def act(request: HttpRequest, kind: str, schedule_id: UUID) -> HttpResponse:
    """Enable, disable, or run now."""
    verbs, who, wanted = _kind(kind).verbs, caller(request), request.POST.get("act", "")
    try:
        if wanted == "run":
            verbs.run_now(who, schedule_id)
            messages.success(request, "It runs now, in your name. The result appears at the top of the history.")
        elif wanted in ("enable", "disable"):
            verbs.switch(who, schedule_id, on=wanted == "enable")
            words = "Enabled. It runs at the times below." if wanted == "enable" else "Disabled. It does not run."
            messages.success(request, words)
        else:
            raise Invalid("Choose what to do with the schedule.")
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("scheduling:schedule", kind, schedule_id)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, kind: str, schedule_id: UUID) -> HttpResponse:
    one, who = _kind(kind), caller(request)
    schedule = one.verbs.find(who, schedule_id)
    if request.method == "POST":
        one.verbs.delete(who, schedule_id)
        messages.success(request, f"“{schedule.name}” is deleted.")
        return redirect(LIST)
    return render(request, "scheduling/delete.html", {"kind": one, "schedule": schedule})


@require_safe
@login_required
def next_runs(request: HttpRequest) -> HttpResponse:
    """When an expression is due. The forms take their preview from here; by itself it is a page to try one out on."""
    form = TimeForm(request.GET if request.GET else None)
    return render(request, "scheduling/next_runs_page.html", {"form": form, "preview": form.preview})


def _kind(slug: str) -> Kind:
    kind = kinds.get(slug)
    if kind is None:
        raise NotFound("There are no schedules of this kind.")
    return kind


def _time_of(schedule: AbstractSchedule) -> dict[str, object]:
    """When it runs, in words and as its next times; neither where its zone is known no more."""
    try:
        cron = schedule.cron
    except DomainError:
        return {}
    upcoming = cron.upcoming(RUNS_SHOWN, timezone.now()) if schedule.is_enabled else []
    return {"words": cron.in_words(), "upcoming": upcoming}
