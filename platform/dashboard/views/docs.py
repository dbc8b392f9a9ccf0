"""The guides under /docs, readable by anyone: the same files that lie in the repository's docs/."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Plan
from dashboard import guidebook

PICTURE_TYPES = {"png": "image/png", "svg": "image/svg+xml"}


@require_safe
def guides(request: HttpRequest) -> HttpResponse:
    return _page(request, guidebook.guide("index") or guidebook.render("# Docs"))


@require_safe
def guide(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, guidebook.guide(slug))


@require_safe
def decision(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, guidebook.decision(slug))


@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    """The plans' limits, from the rows that the limits are enforced by."""
    context = {"plans": Plan.objects.order_by("rank"), "contents": guidebook.contents()}
    return render(request, "dashboard/plans.html", context)


@require_safe
def picture(request: HttpRequest, name: str, extension: str) -> HttpResponse:
    path = settings.ROOT / "docs" / "pictures" / f"{name}.{extension}"
    if extension not in PICTURE_TYPES or not path.is_file():
        raise Http404("There is no such picture.")
    return HttpResponse(path.read_bytes(), content_type=PICTURE_TYPES[extension])


def _page(request: HttpRequest, page: guidebook.Guide | None) -> HttpResponse:
    if page is None:
        raise Http404("There is no such guide.")
    return render(request, "dashboard/guide.html", {"guide": page, "contents": guidebook.contents()})
