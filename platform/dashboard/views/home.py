"""Home, the jump list and the choice of organization."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from accounts.page_caller import person
from dashboard.jump import jump_list
from dashboard.organizations import choose
from dashboard.panels import home_panels


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/home.html", {"panels": home_panels.render(request)})


def icon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon on pages that name none."""
    return redirect(staticfiles_storage.url("dashboard/asterism.svg"))


@require_GET
@login_required
def jump(request: HttpRequest) -> HttpResponse:
    """The results alone for the dialog, the whole page for everything else."""
    words = request.GET.get("q", "")
    template = "dashboard/jump_results.html" if "HX-Request" in request.headers else "dashboard/jump.html"
    return render(request, template, {"words": words, "found": jump_list.find(person(request), words)})


@require_POST
@login_required
def choose_organization(request: HttpRequest) -> HttpResponse:
    if not choose(request, request.POST.get("organization", "")):
        messages.error(request, "You no longer belong to that organization.")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else "dashboard:home")
