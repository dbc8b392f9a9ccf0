"""The page on which a person lets a client in, or does not. It is shown every time: nothing in a request skips it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from oauth2_provider.forms import AllowForm
from oauth2_provider.http import OAuth2ResponseRedirect
from oauth2_provider.oauth2_backends import _add_iss_to_redirect
from oauth2_provider.views import AuthorizationView

from accounts.models import Membership, User
from mcp_gateway.models import Application
from mcp_gateway.oauth import redirects, resources
from mcp_gateway.oauth.scopes import widest
from security import csp

# What would let a request decide how it is consented to.
IGNORED = ("approval_prompt", "prompt")


class ConsentForm(AllowForm):
    """The toolkit's form, held to a client and a redirect that go together even where the person says no."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        application = Application.objects.filter(client_id=cleaned.get("client_id", "")).first()
        if application is None or not application.redirect_uri_allowed(cleaned.get("redirect_uri", "")):
            raise forms.ValidationError(
                "This request was changed on its way. Go back to the application and try again."
            )
        return cleaned


@method_decorator(never_cache, name="dispatch")
class ConsentView(AuthorizationView):
    template_name = "mcp_gateway/consent.html"
    form_class = ConsentForm
    http_method_names = ["get", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.GET.copy()
        for name in IGNORED:
            asked.pop(name, None)
        request.GET = asked  # type: ignore[assignment]
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def redirect(self, redirect_to: str, application: Application | None) -> HttpResponse:
        """Send the person back to the client, with the issuer on success and on errors alike (RFC 9207)."""
        back: HttpResponse = OAuth2ResponseRedirect(
            _add_iss_to_redirect(redirect_to, resources.issuer()), redirects.schemes()
        )
        return back

    def get_template_names(self) -> Sequence[str]:
        """Where it is not certain which client asks, or where it wants the answer, a page says what is wrong."""
        return [self.template_name if self.oauth2_data else "mcp_gateway/consent_error.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        user = self.request.user
        if not self.oauth2_data or not isinstance(user, User):
            return context
        redirect_uri = str(self.oauth2_data["redirect_uri"])
        return context | {
            "scope": widest(self.oauth2_data["scopes"]),
            "permissions": [settings.OAUTH2_PROVIDER["SCOPES"][name] for name in self.oauth2_data["scopes"]],
            "memberships": Membership.objects.filter(user=user)
            .select_related("organization")
            .order_by("organization__name"),
            "redirect_shown": redirects.shown(redirect_uri),
            "redirect_is_loopback": redirects.is_loopback(redirect_uri),
            "person": user,
        }

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        """The page, whose form may lead back to the client."""
        response: HttpResponse = super().render_to_response(context, **options)
        if self.oauth2_data:
            origin = redirects.origin(str(self.oauth2_data["redirect_uri"]))
            response.headers["Content-Security-Policy"] = csp.allowing_forms_to(origin)
        return response
