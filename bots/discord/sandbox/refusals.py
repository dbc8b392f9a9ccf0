"""How the sandbox says no: Discord's codes with their HTTP status and wording."""

from typing import Any

from bots.discord.rest.errors import JsonCode

_WORDING: dict[JsonCode, tuple[int, str]] = {
    JsonCode.UNKNOWN_CHANNEL: (404, "Unknown Channel"),
    JsonCode.UNKNOWN_GUILD: (404, "Unknown Guild"),
    JsonCode.UNKNOWN_MEMBER: (404, "Unknown Member"),
    JsonCode.UNKNOWN_ROLE: (404, "Unknown Role"),
    JsonCode.UNKNOWN_USER: (404, "Unknown User"),
    JsonCode.UNKNOWN_BAN: (404, "Unknown Ban"),
    JsonCode.CLOUDFLARE: (403, "internal network error"),
    JsonCode.MISSING_ACCESS: (403, "Missing Access"),
    JsonCode.EMPTY_MESSAGE: (400, "Cannot send an empty message"),
    JsonCode.CANNOT_MESSAGE_USER: (403, "Cannot send messages to this user"),
    JsonCode.MISSING_PERMISSIONS: (403, "Missing Permissions"),
    JsonCode.INVALID_RECIPIENT: (400, "Invalid Recipient(s)"),
    JsonCode.INVALID_FORM_BODY: (400, "Invalid Form Body"),
    JsonCode.NO_MUTUAL_GUILDS: (403, "Cannot send messages to this user due to having no mutual guilds"),
}


class RefusedError(Exception):
    """One of Discord's refusals; `status` and `body` are the answer."""

    def __init__(self, code: JsonCode, errors: dict[str, Any] | None = None) -> None:
        self.status, message = _WORDING[code]
        super().__init__(message)
        self.body: dict[str, Any] = {"message": message, "code": int(code)}
        if errors:
            self.body["errors"] = errors


def invalid(field: str, code: str, message: str) -> RefusedError:
    """The refusal of one field of the body or path, in the nested form Discord uses."""
    return RefusedError(JsonCode.INVALID_FORM_BODY, {field: {"_errors": [{"code": code, "message": message}]}})
