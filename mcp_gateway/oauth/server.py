"""The grants we give: an authorization code with PKCE S256, and refreshing. There is no other way to a token."""

from typing import Any

from oauthlib.common import Request
from oauthlib.oauth2 import WebApplicationServer
from oauthlib.oauth2.rfc6749.grant_types import authorization_code

from mcp_gateway.oauth import resources
from mcp_gateway.oauth.scopes import with_those_below


class CodeServer(WebApplicationServer):
    """The library's server of these two grants, with the plain PKCE method taken away and resources checked early."""

    def __init__(self, request_validator: Any, **options: Any) -> None:
        super().__init__(request_validator, **options)
        # An absent method means plain (RFC 7636 section 4.3), so this refuses that too.
        self.auth_grant._code_challenge_methods = {"S256": authorization_code.code_challenge_method_s256}
        self.auth_grant.custom_validators.pre_auth.append(ask_for_what_exists)


def ask_for_what_exists(request: Request) -> dict[str, Any]:
    """Refuse a foreign resource before anybody is asked for consent, and ask for whole scopes."""
    asked = [value for name, value in request.uri_query_params if name == "resource"]
    try:
        resources.bound(asked)
    except resources.InvalidTarget:
        raise resources.InvalidTarget(request=request, state=request.state) from None
    if request.scope:
        names = request.scope.split()
        request.scope = " ".join(dict.fromkeys([*with_those_below(names), *names]))
    return {}
