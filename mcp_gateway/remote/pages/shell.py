"""What remote servers bring to the shell: their places in the jump list, and what the home page says of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.caller import Caller
from accounts.models import User
from accounts.page_caller import caller
from dashboard.jump import MOST_PER_SOURCE, Place
from mcp_gateway.models import RemoteConnection, RemoteServer

MOST_TOLD = 5


def places(person: User, words: str) -> Iterable[Place]:
    """The servers of all organizations the person belongs to, whose names hold every word typed."""
    servers = RemoteServer.objects.for_caller(Caller.system(person.pk)).select_related("organization")
    for word in words.split():
        servers = servers.filter(name__icontains=word)
    for server in servers.order_by("name", "id")[:MOST_PER_SOURCE]:
        yield Place(server.name, reverse("mcp_gateway:remote-server", args=[server.pk]), server.organization.name)


def panel(request: HttpRequest) -> Mapping[str, Any]:
    """The person's own connections that only they can fix."""
    broken = RemoteConnection.objects.for_caller(caller(request)).filter(
        status=RemoteConnection.Status.ERROR, server__enabled=True
    )
    shown = broken.select_related("server").defer("provider", "access_token", "refresh_token")
    return {"connections": shown.order_by("server__name", "pk")[:MOST_TOLD]}
