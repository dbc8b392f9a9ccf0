"""Which part of which guide helps with what can be wrong with a remote server."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mcp_gateway.remote.oauth.errors import Reason
from mcp_gateway.remote.problems import Code

CONNECTION = "troubleshooting-connection"
SIGN_IN = "troubleshooting-oauth"
NO_TOOLS = "troubleshooting-no-tools"
NOT_USED = "troubleshooting-tools-not-used"
RECONNECT = "troubleshooting-reconnect"

# The guide and the heading's anchor in it.
SECTIONS: dict[Code, tuple[str, str]] = {
    Code.DISABLED: (NOT_USED, "the-server-is-disabled"),
    Code.NOT_CONNECTED: (NOT_USED, "you-have-not-connected-your-account"),
    Code.CONNECTION_ERROR: (RECONNECT, "what-to-do"),
    Code.UNAUTHORIZED: (CONNECTION, "the-server-refuses-the-credentials"),
    Code.FORBIDDEN: (CONNECTION, "the-server-does-not-allow-it"),
    Code.SCOPE_NEEDED: (SIGN_IN, "a-wider-scope-is-needed"),
    Code.WRONG_TRANSPORT: (CONNECTION, "the-wrong-transport"),
    Code.NOT_MCP: (CONNECTION, "the-address-answers-but-not-as-an-mcp-server"),
    Code.NOT_FOUND: (CONNECTION, "there-is-nothing-at-the-address"),
    Code.NO_TOOLS: (NO_TOOLS, "the-server-has-no-tools"),
    Code.TIMEOUT: (CONNECTION, "the-server-does-not-answer-in-time"),
    Code.TLS: (CONNECTION, "the-certificate-is-not-trusted"),
    Code.REFUSED_ADDRESS: (CONNECTION, "the-address-is-refused"),
    Code.UNREACHABLE: (CONNECTION, "the-server-cannot-be-reached"),
    Code.THROTTLED: (CONNECTION, "too-many-requests"),
    Code.SERVER_ERROR: (CONNECTION, "the-server-reports-an-error-of-its-own"),
    Code.PROTOCOL: (CONNECTION, "the-server-breaks-the-protocol"),
    Code.TOO_LARGE: (CONNECTION, "the-answer-is-too-large"),
    Code.ASK_FIRST: (NOT_USED, "the-tool-is-switched-off-or-asks-first"),
}

# What a connection or its server is in error for (`remote.settling`), and why a sign-in fails (`remote.oauth.errors`).
ERRORS: dict[str, tuple[str, str]] = {
    "invalid_grant": (RECONNECT, "what-to-do"),
    "no_refresh_token": (RECONNECT, "when-it-happens-again-and-again"),
    "provider_unavailable": (RECONNECT, "why-it-happens"),
    "invalid_client": (SIGN_IN, "the-client-id-and-secret"),
    Reason.NO_SIGN_IN: (SIGN_IN, "the-server-does-not-say-where-to-sign-in"),
    Reason.BAD_METADATA: (SIGN_IN, "the-server-does-not-say-where-to-sign-in"),
    Reason.RESOURCE_MISMATCH: (SIGN_IN, "the-server-does-not-say-where-to-sign-in"),
    Reason.ISSUER_MISMATCH: (SIGN_IN, "the-server-does-not-say-where-to-sign-in"),
    Reason.NO_PKCE: (SIGN_IN, "pkce-is-missing"),
    Reason.PROVIDER_CHANGED: (SIGN_IN, "the-provider-is-another-one-than-before"),
    Reason.REGISTRATION_NOT_OFFERED: (SIGN_IN, "dynamic-registration-is-not-supported"),
    Reason.REGISTRATION_REFUSED: (SIGN_IN, "dynamic-registration-is-not-supported"),
    Reason.DOCUMENTS_NOT_SUPPORTED: (SIGN_IN, "the-metadata-document-is-not-taken"),
    Reason.UNKNOWN_STATE: (SIGN_IN, "it-took-too-long-or-another-browser-came-back"),
    Reason.EXPIRED: (SIGN_IN, "it-took-too-long-or-another-browser-came-back"),
    Reason.OTHER_BROWSER: (SIGN_IN, "it-took-too-long-or-another-browser-came-back"),
    Reason.WRONG_ISSUER: (SIGN_IN, "the-provider-is-another-one-than-before"),
    Reason.DENIED: (SIGN_IN, "access-was-not-given"),
    Reason.REFUSED: (SIGN_IN, "access-was-not-given"),
}


def with_help(message: str, code: str) -> SafeString:
    """The message and a link to what helps, for what is shown on the page after this one."""
    return format_html('{} <a href="{}">What to do</a>', message, address(code))


def address(code: str) -> str:
    """Where the code is written about; the guide's beginning for a code that is not known here."""
    slug, anchor = SECTIONS[Code(code)] if code in set(Code) else ERRORS.get(code, (CONNECTION, ""))
    return reverse("dashboard:guide", args=[slug]) + (f"#{anchor}" if anchor else "")
