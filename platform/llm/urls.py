"""Addresses of the pages of models."""

from django.urls import path

from llm.pages import providers

LIST = "dashboard/models"
PROVIDER = f"{LIST}/<int:provider_id>"

app_name = "llm"
urlpatterns = [
    path(LIST, providers.listing, name="models"),
    path(f"{LIST}/add", providers.add, name="add"),
    path(f"{LIST}/budget", providers.budget, name="budget"),
    path(f"{PROVIDER}/edit", providers.edit, name="edit"),
    path(f"{PROVIDER}/test", providers.test, name="test"),
    path(f"{PROVIDER}/delete", providers.delete, name="delete"),
]
