"""The headers that keep a page to itself: content security policy, no framing, no sniffing, no powerful features."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


def allowing_forms_to(origin: str) -> str:
    """The policy of a page whose form leads, by a redirect, to another origin; browsers hold redirects to it too."""
    return POLICY.replace("form-action 'self'", f"form-action 'self' {origin}")


HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class PageHeaders:
    """Puts the headers on every answer; one that a view set itself stays as it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            # A page is made for whoever is signed in: no proxy keeps it, and a browser asks again.
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response
