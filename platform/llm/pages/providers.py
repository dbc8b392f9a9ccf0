"""Models: the organization's providers and what was spent; and what only admins do with a provider."""

from datetime import date, datetime, timedelta
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.caller import Caller
from accounts.errors import DomainError, Forbidden
from accounts.page_caller import caller
from accounts.services.organizations import is_admin
from dashboard.charts import BarChart, Point
from dashboard.frame import ConfirmForm, organization_of
from dashboard.paging import keyset_page
from llm.pages.forms import BudgetForm, ProviderForm, settings_of
from llm.services import providers as service
from llm.services import spending as accounts
from llm.services import testing

LIST = "llm:models"
FIRST_YEAR = 2000


@require_safe
@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """The providers; for admins what was spent this month, too."""
    who, organization = caller(request), organization_of(request)
    page = keyset_page(request, service.list_providers(who, organization_id=organization.uid))
    admin = is_admin(who, organization.pk)
    context: dict[str, Any] = {"organization": organization, "page": page, "is_admin": admin}
    if admin:
        told = accounts.spending(who, organization_id=organization.uid, month=_month(request))
        points = [Point(f"{day.day} {day:%b}", float(usd), f"{usd:,.2f}") for day, usd in told.days]
        before, after = told.since - timedelta(days=1), told.since + timedelta(days=31)
        context |= {"month_before": f"{before:%Y-%m}", "month_after": f"{after:%Y-%m}" if told.is_over else None}
        context |= {"spending": told, "chart": BarChart("Spent by day", "US dollars", points, has_total=False)}
    return render(request, "llm/models.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: HttpRequest) -> HttpResponse:
    who, organization = caller(request), organization_of(request)
    _admins_only(who, organization.pk)
    form = ProviderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            provider = service.create_provider(who, organization_id=organization.uid, given=form.settings)
        except DomainError as error:
            form.show_refusal(error)
        else:
            messages.success(request, f"{provider.name} is added. Test it to see whether it answers.")
            return redirect(LIST)
    context = {"form": form, "heading": "Add provider", "verb": "Add provider", "organization": organization}
    return render(request, "llm/provider_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, provider_id: int) -> HttpResponse:
    who = caller(request)
    provider = service.find_provider(who, provider_id=provider_id)
    _admins_only(who, provider.organization_id)
    form = ProviderForm(request.POST or None, initial=settings_of(provider))
    form.say_stored(provider)
    if request.method == "POST" and form.is_valid():
        try:
            edited = service.update_provider(who, provider_id=provider_id, given=form.settings)
        except DomainError as error:
            form.show_refusal(error)
        else:
            if edited.key_dropped:
                messages.warning(request, "The stored key went with the old address. Enter one for the new address.")
            messages.success(request, f"{edited.provider.name} is saved.")
            return redirect(LIST)
    heading = f"Edit {provider.name}"
    context = {"form": form, "heading": heading, "verb": "Save", "organization": provider.organization}
    return render(request, "llm/provider_form.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def test(request: HttpRequest, provider_id: int) -> HttpResponse:
    """Ask the provider's model for one word, and say what came of it."""
    try:
        report = async_to_sync(testing.test_provider)(caller(request), provider_id=provider_id)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        (messages.success if report.ok else messages.error)(request, report.message)
    return redirect(LIST)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, provider_id: int) -> HttpResponse:
    """Say what will be gone, and ask for the name."""
    who = caller(request)
    provider = service.find_provider(who, provider_id=provider_id)
    _admins_only(who, provider.organization_id)
    form = ConfirmForm(request.POST or None, expected=provider.name)
    if request.method == "POST" and form.is_valid():
        service.delete_provider(who, provider_id=provider_id)
        messages.success(request, f"{provider.name} is deleted.")
        return redirect(LIST)
    return render(request, "llm/delete.html", {"form": form, "provider": provider}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def budget(request: HttpRequest) -> HttpResponse:
    who, organization = caller(request), organization_of(request)
    told = accounts.spending(who, organization_id=organization.uid)
    form = BudgetForm(request.POST or None, initial={"monthly_usd": told.budget_usd})
    if request.method == "POST" and form.is_valid():
        try:
            accounts.set_budget(who, organization_id=organization.uid, monthly_usd=form.cleaned_data["monthly_usd"])
        except DomainError as error:
            form.show_refusal(error)
        else:
            messages.success(request, "The budget is saved. It applies from the next question on.")
            return redirect(LIST)
    context = {"form": form, "organization": organization, "spending": told}
    return render(request, "llm/budget.html", context, status=422 if form.errors else 200)


def _month(request: HttpRequest) -> date | None:
    """The month that `?month=2026-10` names; what names none, or one before all models, is this one."""
    try:
        month = datetime.strptime(request.GET.get("month", ""), "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        return None
    return month if month.year >= FIRST_YEAR else None


def _admins_only(who: Caller, organization_id: int) -> None:
    """Spare members a form that the services would refuse."""
    if not is_admin(who, organization_id):
        raise Forbidden("Only admins add, change and delete providers. Ask an admin of your organization.")
