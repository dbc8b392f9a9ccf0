"""Remote MCP servers that an organization connects to, and the tools each of them is known to have."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Organization
from security.fields import EncryptedTextField

if TYPE_CHECKING:
    from mcp_gateway.models.remote_connections import RemoteConnection


class Transport(models.TextChoices):
    STREAMABLE_HTTP = "streamable_http", "Streamable HTTP"
    SSE = "sse", "SSE (legacy)"


class AuthType(models.TextChoices):
    NONE = "none", "None"
    API_KEY = "api_key", "API key"
    OAUTH = "oauth", "OAuth"


class ClientMode(models.TextChoices):
    """How the OAuth client that we are to the provider comes to be."""

    KNOWN_CREDENTIALS = "known_credentials", "Pre-created OAuth app"
    DYNAMIC = "dynamic", "Dynamic client registration"
    CIMD = "cimd", "Client ID metadata document"


class RemoteServerQuerySet(models.QuerySet["RemoteServer"]):
    def for_caller(self, caller: Caller) -> "RemoteServerQuerySet":
        """Those of the organizations the caller belongs to."""
        # One membership a person and organization: the join never doubles a row.
        return self.filter(organization__memberships__user_id=caller.user_id)

    def with_tool_counts(self) -> "RemoteServerQuerySet":
        """Each with `tool_count`, the tools it had when it was last asked."""
        known = RemoteTool.objects.filter(server=models.OuterRef("pk"), gone_at=None).order_by()
        counted = known.values("server").annotate(count=models.Count("pk")).values("count")
        count = models.functions.Coalesce(models.Subquery(counted), 0, output_field=models.IntegerField())
        return self.annotate(**{"tool_count": count})  # noqa: PIE804 - spelt so, for the type is with the model


class RemoteServer(models.Model):
    """A server of somebody else's whose tools an organization uses. Its integer id is part of its tools' names."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="remote_servers")
    name = models.CharField(max_length=100)
    slug = models.SlugField(
        max_length=24, editable=False, help_text="Made of the first name and kept: it is part of its tools' names."
    )
    transport = models.CharField(max_length=20, choices=Transport.choices, default=Transport.STREAMABLE_HTTP)
    url = models.CharField("URL", max_length=2000)
    auth_type = models.CharField("authentication", max_length=10, choices=AuthType.choices, default=AuthType.NONE)
    headers = EncryptedTextField(null=True, blank=True, help_text="A JSON object: header names and their values.")
    header_names = models.JSONField(default=list, blank=True, help_text="The names alone, which may be shown.")
    client_mode = models.CharField(max_length=20, choices=ClientMode.choices, blank=True)
    client_id = models.CharField("client ID", max_length=500, blank=True)
    client_secret = EncryptedTextField(null=True, blank=True)
    scopes = models.CharField(max_length=2000, blank=True, help_text="Asked for in place of what the server suggests.")
    enabled = models.BooleanField(default=True)
    hold_changes = models.BooleanField(
        default=False,
        help_text="A tool that changed, or that came later, is not offered until an admin accepts it.",
    )
    # What is wrong with the server itself, such as a client the provider does not know; people are not to blame.
    fault_code = models.CharField(max_length=60, blank=True)
    fault = models.CharField(max_length=500, blank=True)
    # How its last test ended, or the last one that says something about the server and not about one person's sign-in.
    tested_at = models.DateTimeField(null=True, blank=True)
    test_code = models.CharField(max_length=60, blank=True, help_text="Empty where it worked.")
    test_message = models.CharField(max_length=1000, blank=True)
    revision = models.PositiveIntegerField(
        default=1, help_text="Grows with each edit; what was kept of older ones is dropped."
    )
    discovered_at = models.DateTimeField(null=True, blank=True, help_text="When it last listed its tools.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = RemoteServerQuerySet.as_manager()

    if TYPE_CHECKING:  # of a server as the services give it
        tool_count: int
        own_connections: list[RemoteConnection]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="remote_server_name_once"),
            models.CheckConstraint(condition=models.Q(transport__in=Transport.values), name="remote_server_transport"),
            models.CheckConstraint(condition=models.Q(auth_type__in=AuthType.values), name="remote_server_auth_type"),
            models.CheckConstraint(
                condition=(
                    models.Q(auth_type=AuthType.OAUTH, client_mode__in=ClientMode.values)
                    | (~models.Q(auth_type=AuthType.OAUTH) & models.Q(client_mode=""))
                ),
                name="remote_server_client_mode",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def needs_sign_in(self) -> bool:
        """Whether each person connects an account of their own."""
        return self.auth_type == AuthType.OAUTH

    @property
    def has_client_secret(self) -> bool:
        """Whether one is stored; it is not opened for that."""
        return bool(self.__dict__.get("client_secret"))


class RemoteHealth(models.Model):
    """What is wrong with a server where it is used. There is none of a server that answered when it was last asked."""

    server = models.OneToOneField(RemoteServer, primary_key=True, on_delete=models.CASCADE, related_name="health")
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    code = models.CharField(max_length=60)
    message = models.CharField(max_length=1000)
    failed_at = models.DateTimeField()
    closed_until = models.DateTimeField(null=True, blank=True, help_text="It is not asked before.")

    class Meta:
        verbose_name_plural = "remote health"

    def __str__(self) -> str:
        return f"{self.server_id}: {self.code}"


class RemoteTool(models.Model):
    """A tool as its server described it, and what the organization's admins decided about it.

    `definition` is what an admin knows it by. Where the server describes it otherwise by now and changes are held back,
    the new description waits in `held` until an admin accepts it, and the tool is not offered.
    """

    server = models.ForeignKey(RemoteServer, on_delete=models.CASCADE, related_name="tools")
    name = models.CharField(max_length=500, help_text="As the server spells it.")
    definition = models.JSONField(help_text="Its MCP Tool object: title, description, schemas, annotations.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the canonical definition.")
    previous = models.JSONField(
        null=True, blank=True, help_text="As it was before a change that is offered already, until reviewed."
    )
    held = models.JSONField(null=True, blank=True)
    held_digest = models.CharField(max_length=64, blank=True)
    enabled = models.BooleanField(default=True)
    ask_first = models.BooleanField("ask before use", default=False)
    first_seen_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now, help_text="When it was last listed, to the day.")
    changed_at = models.DateTimeField(
        null=True, blank=True, help_text="When its definition last changed, until reviewed."
    )
    gone_at = models.DateTimeField(null=True, blank=True, help_text="Since when the server no longer lists it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["server", "name"], name="remote_tool_once")]

    def __str__(self) -> str:
        return self.name
