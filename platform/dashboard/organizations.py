"""Which organization a person is looking at: chosen in the rail, kept in the session."""

from django.http import HttpRequest

from accounts.models import Organization, User

SESSION_KEY = "organization"


def organizations_of(request: HttpRequest) -> list[Organization]:
    if not isinstance(request.user, User):
        return []
    return list(Organization.objects.filter(memberships__user=request.user).order_by("name", "pk"))


def current_organization(request: HttpRequest) -> Organization | None:
    """The chosen one while the person still belongs to it, else their first."""
    organizations = organizations_of(request)
    chosen = request.session.get(SESSION_KEY)
    return next((one for one in organizations if one.pk == chosen), organizations[0] if organizations else None)


def choose(request: HttpRequest, organization_id: str) -> bool:
    """Whether the person belongs to it; from now on they look at it."""
    for organization in organizations_of(request):
        if str(organization.pk) == organization_id:
            request.session[SESSION_KEY] = organization.pk
            return True
    return False
