"""What every page's template knows: the rail, and the organizations of whoever is signed in."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from dashboard.navigation import navigation
from dashboard.organizations import current_organization, organizations_of


def shell(request: HttpRequest) -> dict[str, Any]:
    if not hasattr(request, "user"):  # an answer from before the sign-in was looked at, such as a refused host
        return {"rail": {}}
    return {
        "rail": SimpleLazyObject(lambda: navigation.rail(request)),
        "organizations": SimpleLazyObject(lambda: organizations_of(request)),
        "organization": SimpleLazyObject(lambda: current_organization(request)),
    }
