"""How clients find their way: the documents of RFC 9728 (a resource) and RFC 8414 (its authorization server)."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.scopes import Scope
from mcp_gateway.oauth import resources

KEEP = "public, max-age=3600"


@require_safe
def show_resource(request: HttpRequest, path: str = "") -> JsonResponse:
    """What the resource at `path` is, and whose tokens it takes."""
    name = resources.RESOURCES.get(f"/{path}".rstrip("/"))
    if name is None:
        raise Http404("There is no such protected resource.")
    return _public(
        {
            "resource": resources.uri(f"/{path}".rstrip("/")),
            "authorization_servers": [resources.issuer()],
            "scopes_supported": [scope.value for scope in Scope],
            "bearer_methods_supported": ["header"],
            "resource_name": name,
            "resource_documentation": resources.issuer() + reverse("dashboard:guide", args=["connecting-clients"]),
        }
    )


@require_safe
def show_server(request: HttpRequest) -> JsonResponse:
    """What the authorization server does, and nothing it does not."""
    issuer = resources.issuer()
    methods = ["none", "client_secret_basic", "client_secret_post"]
    return _public(
        {
            "issuer": issuer,
            "authorization_endpoint": issuer + reverse("oauth:authorize"),
            "token_endpoint": issuer + reverse("oauth:token"),
            "registration_endpoint": issuer + reverse("oauth:register"),
            "revocation_endpoint": issuer + reverse("oauth:revoke"),
            "scopes_supported": [scope.value for scope in Scope],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "client_id_metadata_document_supported": bool(settings.OAUTH2_PROVIDER["CIMD_ENABLED"]),
            "protected_resources": [resources.uri(path) for path in resources.RESOURCES],
            "service_documentation": issuer + reverse("dashboard:guide", args=["connecting-clients"]),
        }
    )


def _public(document: dict[str, Any]) -> JsonResponse:
    """A document for anybody, pages of other origins included: clients that are web apps read it from there."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": KEEP,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return JsonResponse(document, headers=headers)
