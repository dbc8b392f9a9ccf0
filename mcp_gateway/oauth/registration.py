"""Dynamic client registration (RFC 7591): a client tells its name and redirects and gets an id, no secret, no token.

The toolkit's own registration also makes clients with secrets and other grants, and hands out a token for managing the
registration, kept among the access tokens. Ours has neither: what is registered is never changed, only forgotten.
"""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from pydantic import ValidationError

from mcp_gateway.models import Application
from mcp_gateway.oauth.client_metadata import ClientMetadata
from mcp_gateway.oauth.token_views import uncached
from security import audit
from security.client_ip import counted_as
from security.throttle import Limit

LONGEST_BODY_BYTES = 16_384
HOUR = 3600


@csrf_exempt
@require_POST
def register(request: HttpRequest) -> JsonResponse:
    """Answer 201 with the client's id, or an error in the RFC's words."""
    address = request.META.get("REMOTE_ADDR", "")
    wait = Limit("registration", settings.OAUTH_REGISTRATIONS_PER_HOUR, HOUR).hit(counted_as(address))
    if wait:
        return _refuse(
            "too_many_requests", f"Too many registrations from one address. Try again in {wait} s.", 429, wait
        )
    try:
        stated = json.loads(_body(request))
        metadata = ClientMetadata.model_validate(stated)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        about_redirects = fault["loc"][:1] == ("redirect_uris",)
        message = fault["msg"].removeprefix("Value error, ")
        where = ".".join(map(str, fault["loc"]))
        return _refuse("invalid_redirect_uri" if about_redirects else "invalid_client_metadata", f"{where}: {message}")
    except (ValueError, RecursionError):
        return _refuse(
            "invalid_client_metadata", f"The body is not a JSON object of at most {LONGEST_BODY_BYTES} bytes."
        )
    application = Application.objects.create(
        registration_source=Application.RegistrationSource.DCR, **metadata.columns()
    )
    audit.record(
        "oauth.register", caller=None, target=f"application:{application.pk}", detail={"client": application.name}
    )
    return _answer(_described(application, metadata), 201)


def _body(request: HttpRequest) -> bytes:
    """The body, unless it is longer than any honest registration."""
    if int(request.headers.get("Content-Length") or 0) > LONGEST_BODY_BYTES:
        raise ValueError("too long")
    body = request.read(LONGEST_BODY_BYTES + 1)
    if len(body) > LONGEST_BODY_BYTES:
        raise ValueError("too long")
    return body


def _described(application: Application, metadata: ClientMetadata) -> dict[str, Any]:
    described: dict[str, Any] = {
        "client_id": application.client_id,
        "client_id_issued_at": int(application.created.timestamp()),
        "redirect_uris": metadata.redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }
    optional = {"client_name": metadata.client_name, "client_uri": metadata.client_uri}
    return described | {name: value for name, value in optional.items() if value}


def _refuse(error: str, description: str, status: int = 400, wait: int = 0) -> JsonResponse:
    response = _answer({"error": error, "error_description": description}, status)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


def _answer(document: dict[str, Any], status: int) -> JsonResponse:
    response = JsonResponse(document, status=status)
    uncached(response)
    return response
