"""Models in the admin: providers are read here without their keys, and an operator says here what models cost."""

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.page_caller import admin_caller
from llm import models
from security import audit
from security.admin_kinds import AnyModelAdmin, ReadOnlyAdmin


@admin.register(models.Provider)
class ProviderAdmin(ReadOnlyAdmin):
    list_display = ["name", "organization", "kind", "default_model", "is_default", "enabled", "tested_at"]
    list_filter = ["kind", "enabled"]
    list_select_related = ["organization"]
    search_fields = ["name", "base_url", "organization__name", "=id"]
    search_help_text = "A name, an address, an organization's name, or an id."
    exclude = ["api_key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Provider]:
        """The sealed field is not even read."""
        return super().get_queryset(request).defer("api_key")


@admin.register(models.Price)
class PriceAdmin(AnyModelAdmin):
    """What holds for every organization, so it is an operator's to say."""

    list_display = ["model", "input_usd", "cached_input_usd", "output_usd"]
    search_fields = ["model"]

    def save_model(
        self, request: HttpRequest, obj: models.Price, form: "ModelForm[models.Price]", change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        detail = {"input": str(obj.input_usd), "cached": str(obj.cached_input_usd), "output": str(obj.output_usd)}
        audit.record("model_price.set", caller=admin_caller(request), target=f"model:{obj.model}", detail=detail)


@admin.register(models.Budget)
class BudgetAdmin(ReadOnlyAdmin):
    list_display = ["organization", "monthly_usd"]
    list_select_related = ["organization"]
    search_fields = ["organization__name"]


@admin.register(models.ModelDay)
class ModelDayAdmin(ReadOnlyAdmin):
    list_display = ["day", "organization", "model", "product", "calls", "input_tokens", "output_tokens", "cost_usd"]
    list_filter = ["product"]
    list_select_related = ["organization"]
    search_fields = ["model", "organization__name"]
    show_full_result_count = False


@admin.register(models.ModelCall)
class ModelCallAdmin(ReadOnlyAdmin):
    list_display = ["at", "organization", "model", "product", "input_tokens", "output_tokens", "cost_usd", "user"]
    list_filter = ["product"]
    list_select_related = ["organization", "user"]
    search_fields = ["model", "subject", "organization__name"]
    search_help_text = "A model's or organization's name, or the id of an execution or conversation."
    show_full_result_count = False
