"""What django-oauth-toolkit is told, for its defaults are lax; what it cannot be told is in mcp_gateway.oauth."""

from typing import Any

# The toolkit's tables are all ours; its own migrations would only act on tables it no longer has.
MODELS = {
    "APPLICATION": "mcp_gateway.Application",
    "ACCESS_TOKEN": "mcp_gateway.AccessToken",
    "REFRESH_TOKEN": "mcp_gateway.RefreshToken",
    "GRANT": "mcp_gateway.Grant",
    "ID_TOKEN": "mcp_gateway.IDToken",
    "DEVICE_GRANT": "mcp_gateway.DeviceGrant",
}
SCOPES = {
    "read": "See everything that you can see: agents, profiles, files, executions and their results",
    "write": "Make and change things in your name: agents, profiles and files, and start executions",
    "admin": "Delete things for good, and change what only an organization's admins may",
}
ACCESS_SECONDS = 3600
CODE_SECONDS = 60
DAY = 86_400


def toolkit(public_url: str) -> dict[str, Any]:
    """The value of OAUTH2_PROVIDER for a platform that calls itself `public_url`."""
    compliant = {
        f"COMPLIANT_BCP_RFC9700_{rule}": True
        for rule in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REFRESH_TOKEN",
            "REDIRECT_URI_MATCHING",
            "PKCE_REQUIRED",
        )
    }
    return compliant | {
        "OIDC_ISS_ENDPOINT": public_url,
        "OAUTH2_SERVER_CLASS": "mcp_gateway.oauth.server.CodeServer",
        "OAUTH2_VALIDATOR_CLASS": "mcp_gateway.oauth.validator.Validator",
        "ACCESS_TOKEN_GENERATOR": "mcp_gateway.oauth.token_format.new_access_token",
        "REFRESH_TOKEN_GENERATOR": "mcp_gateway.oauth.token_format.new_refresh_token",
        "APPLICATION_ADMIN_CLASS": "mcp_gateway.admin.ApplicationAdmin",
        "ACCESS_TOKEN_ADMIN_CLASS": "mcp_gateway.admin.AccessTokenAdmin",
        "REFRESH_TOKEN_ADMIN_CLASS": "mcp_gateway.admin.RefreshTokenAdmin",
        "GRANT_ADMIN_CLASS": "mcp_gateway.admin.GrantAdmin",
        "ID_TOKEN_ADMIN_CLASS": "mcp_gateway.admin.IDTokenAdmin",
        "SCOPES": SCOPES,
        "DEFAULT_SCOPES": ["read", "write"],
        "AUTHORIZATION_CODE_EXPIRE_SECONDS": CODE_SECONDS,
        "ACCESS_TOKEN_EXPIRE_SECONDS": ACCESS_SECONDS,
        "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * DAY,
        # No grace of the toolkit's, which needs tokens kept in clear; ours is sealed (mcp_gateway.oauth.successor).
        "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "ROTATE_REFRESH_TOKEN": True,
        "PKCE_REQUIRED": True,
        "REQUEST_APPROVAL_PROMPT": "force",
        "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "http"],
        "ALLOW_LOCALHOST_LOOPBACK": True,
        "CIMD_ENABLED": True,
        "CIMD_METADATA_FETCHER": "mcp_gateway.oauth.client_documents.Fetcher",
        "CIMD_REGISTRATION_PERMISSION_CLASSES": ["mcp_gateway.oauth.client_documents.NotTooMany"],
        # The toolkit's registration hands out management tokens; ours is mcp_gateway.oauth.registration.
        "DCR_ENABLED": False,
    }
