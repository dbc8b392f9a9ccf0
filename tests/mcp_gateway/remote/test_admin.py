"""Remote servers in the admin: every row can be found, no secret is on any page, and servers can be disabled."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mcp_gateway import models
from security.models import AuditEntry
from tests.factories import RemoteConnectionFactory, RemoteServerFactory, RemoteToolFactory, UserFactory

pytestmark = pytest.mark.django_db
MODELS: list[type[Model]] = [
    models.RemoteServer,
    models.RemoteTool,
    models.RemoteConnection,
    models.RemoteClient,
    models.RemoteSignIn,
    models.RemoteHealth,
    models.RemoteIssuer,
    models.RemoteCall,
]
SECRET = "sesame-0c1f"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def page(model: type[Model], kind: str, *args: Any) -> str:
    return reverse(f"admin:mcp_gateway_{model._meta.model_name}_{kind}", args=args)


def rows() -> list[Model]:
    connection = RemoteConnectionFactory(provider=SECRET, access_token=SECRET, refresh_token=SECRET)
    server = RemoteServerFactory(headers=f'{{"X-Key": "{SECRET}"}}', header_names=["X-Key"], client_secret=SECRET)
    started = {"user": connection.user, "server": server, "expires_at": timezone.now()}
    return [
        connection,
        server,
        RemoteToolFactory(server=server),
        models.RemoteClient.objects.create(server=server, issuer="https://id.example", registration=SECRET),
        models.RemoteSignIn.objects.create(state_digest=b"a" * 32, session_digest=b"b" * 32, pending=SECRET, **started),
        models.RemoteHealth.objects.create(server=server, code="tls", message="…", failed_at=timezone.now()),
        models.RemoteIssuer.objects.create(issuer="https://id.example"),
        models.RemoteCall.objects.create(server=server, tool="search", duration_ms=1, outcome="ok"),
    ]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_is_listed_and_searched(operator: Client, model: type[Model]) -> None:
    for query in ("", "harbour", "123"):
        assert operator.get(page(model, "changelist"), {"q": query}).status_code == 200
    assert admin.site._registry[model].search_fields


def test_no_secret_is_on_any_page(operator: Client) -> None:
    made = rows()
    assert {type(row) for row in made} == set(MODELS)
    for row in made:
        for address in (page(type(row), "changelist"), page(type(row), "change", row.pk)):
            answer = operator.get(address)
            assert answer.status_code == 200
            assert SECRET not in answer.content.decode()
        assert operator.post(page(type(row), "change", row.pk), {}).status_code == 403


def test_an_operator_disables_servers_at_once(operator: Client) -> None:
    server = RemoteServerFactory(url="https://mcp.example.com/mcp")
    chosen = {"action": "disable", "_selected_action": [server.pk]}
    answer = operator.post(page(models.RemoteServer, "changelist"), chosen, follow=True)
    assert "1 server disabled" in answer.content.decode()
    server.refresh_from_db()
    assert (server.enabled, server.revision) == (False, 2)
    assert AuditEntry.objects.get(action="remote_server.disable").door == "admin"


def test_whoever_may_only_look_disables_nothing(client: Client) -> None:
    looker = UserFactory(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_remoteserver"))
    client.force_login(looker)
    server = RemoteServerFactory()
    client.post(page(models.RemoteServer, "changelist"), {"action": "disable", "_selected_action": [server.pk]})
    server.refresh_from_db()
    assert server.enabled
