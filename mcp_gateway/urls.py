"""URLs of the app. The MCP endpoints are not here: they are mounted beside Django's application."""

from django.urls import include, path

from mcp_gateway import pages, views
from mcp_gateway.remote.oauth.client_document import CALLBACK_PATH, DOCUMENT_PATH
from mcp_gateway.remote.pages.callback import finish_sign_in, show_client_document
from mcp_gateway.rest.pages import show_api

app_name = "mcp_gateway"
urlpatterns = [
    path("metrics", views.show_metrics, name="metrics"),
    path(CALLBACK_PATH.removeprefix("/"), finish_sign_in, name="remote-callback"),
    path(DOCUMENT_PATH.removeprefix("/"), show_client_document, name="remote-client-document"),
    path("", include("mcp_gateway.remote.pages.urls")),
    path("dashboard/api", show_api, name="api"),
    path("dashboard/settings/applications", pages.listing, name="connections"),
    path("dashboard/settings/applications/<int:connection_id>/disconnect", pages.disconnect, name="disconnect"),
]
