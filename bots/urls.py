"""URLs of the app."""

from django.urls import include, path

app_name = "bots"
urlpatterns = [
    path("dashboard/bots/", include("bots.pages.urls")),
    path("dashboard/", include("bots.pages.guild_urls")),
]
