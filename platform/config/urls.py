"""The URL map: each app brings its own."""

from django.contrib import admin
from django.urls import include, path

from config import health
from mcp_gateway.rest import urls as rest_urls
from mcp_gateway.rest.routes import APIS

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("accounts.urls")),  # first, for it has the sign-in of the admin too
    path("admin/", admin.site.urls),
    path("", include("dashboard.urls")),
    path("", include("scheduling.urls")),
    path("", include("llm.urls")),
    path("", include("mcp_gateway.urls")),
    path("", include("mcp_gateway.oauth.urls")),
    path("", include("bots.urls")),
    path("", include("agents_hub.urls")),
    path("", include("agents_hub.pages.chat.urls")),
    path("", include("workflows.urls")),
    *(path(api.base, include(rest_urls.below(api))) for api in APIS),
]

handler400 = "dashboard.views.errors.bad_request"
handler403 = "dashboard.views.errors.forbidden"
handler404 = "dashboard.views.errors.not_found"
handler500 = "dashboard.views.errors.unexpected"
