"""The URL map: each app brings its own."""

from django.contrib import admin
from django.urls import include, path

from config import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("accounts.urls")),  # first, for it has the sign-in of the admin too
    path("admin/", admin.site.urls),
    path("", include("dashboard.urls")),
    path("", include("mcp_gateway.urls")),
    path("", include("mcp_gateway.oauth.urls")),
    path("", include("bots.urls")),
    path("", include("agents_hub.urls")),
    path("agents/v2/", include("mcp_gateway.rest.urls")),
]

handler400 = "dashboard.views.errors.bad_request"
handler403 = "dashboard.views.errors.forbidden"
handler404 = "dashboard.views.errors.not_found"
handler500 = "dashboard.views.errors.unexpected"
