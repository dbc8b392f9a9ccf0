"""URLs of our sign-in: the few of the protocol that are needed, and no others."""

from django.urls import path

from mcp_gateway.oauth import consent, metadata, registration, token_views

app_name = "oauth"
urlpatterns = [
    path(".well-known/oauth-authorization-server", metadata.show_server, name="server-metadata"),
    path(".well-known/oauth-protected-resource", metadata.show_resource, name="resource-metadata-root"),
    path(".well-known/oauth-protected-resource/<path:path>", metadata.show_resource, name="resource-metadata"),
    path("oauth/authorize", consent.ConsentView.as_view(), name="authorize"),
    path("oauth/token", token_views.TokenView.as_view(), name="token"),
    path("oauth/revoke", token_views.RevokeView.as_view(), name="revoke"),
    path("oauth/register", registration.register, name="register"),
]
