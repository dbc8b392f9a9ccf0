"""What the addresses of pages name beside their paths."""

from uuid import UUID

from django.http import HttpRequest

from accounts.errors import NotFound
from security.identifiers import uuid_or_none


def id_in(request: HttpRequest, name: str) -> UUID | None:
    """The id that the address gives under this name; what is no id is not found."""
    wanted = request.GET.get(name)
    if not wanted:
        return None
    found = uuid_or_none(wanted)
    if found is None:
        raise NotFound("There is nothing of that id.")
    return found
