"""Each person's own connection to a remote server, the sign-in under way, and the providers behind both."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.caller import Caller
from mcp_gateway.models.remote_servers import RemoteServer
from security.fields import EncryptedTextField
from security.identifiers import uuid7


class RemoteConnectionQuerySet(models.QuerySet["RemoteConnection"]):
    def for_caller(self, caller: Caller) -> "RemoteConnectionQuerySet":
        """The caller's own, while they belong to the server's organization."""
        return self.filter(user_id=caller.user_id, server__organization__memberships__user_id=caller.user_id)


class RemoteConnection(models.Model):
    """The tokens one person has for one server.

    `generation` grows with each set of tokens stored; whoever refreshes holds the lease, and stores what it got only
    while the generation is still the one it began with. No transaction is open while the provider is asked.

    `refresh_due_at` is when something is to be done next. None says nothing will be: nothing is to be refreshed, or the
    connection has ended and waits for its owner. A lease without a holder is a connection handed out to the workers.
    """

    class Status(models.TextChoices):
        CONNECTED = "connected", "Connected"
        ERROR = "error", "Connection error"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="remote_connections")
    server = models.ForeignKey(RemoteServer, on_delete=models.CASCADE, related_name="connections")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CONNECTED)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=500, blank=True, help_text="What is wrong, for the person to read.")
    owner_told_at = models.DateTimeField(null=True, blank=True)

    # What the tokens came from: sealed JSON with the provider's endpoints and the client, all that a refresh needs.
    provider = EncryptedTextField(null=True, blank=True)
    issuer = models.CharField(max_length=2000, blank=True)
    access_token = EncryptedTextField(null=True, blank=True)
    refresh_token = EncryptedTextField(null=True, blank=True)
    scope = models.TextField(blank=True, help_text="As granted, separated by spaces.")
    wanted_scope = models.TextField(blank=True, help_text="What a call was refused for; asked for at the next sign-in.")
    generation = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="None where the provider did not say.")

    refresh_due_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_holder = models.UUIDField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, help_text="Refreshes that failed since the last that worked.")
    refreshed_at = models.DateTimeField(null=True, blank=True)
    connected_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = RemoteConnectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "server"], name="remote_connection_once"),
        ]
        indexes = [
            # What the clock is asked for every few seconds: whom to refresh, and whom to tell.
            models.Index(
                fields=["refresh_due_at"],
                condition=models.Q(refresh_due_at__isnull=False),
                name="remote_connection_due",
            ),
            models.Index(
                fields=["id"],
                condition=models.Q(status="error", refresh_due_at__isnull=True, owner_told_at__isnull=True),
                name="remote_connection_untold",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.server}"


class RemoteClient(models.Model):
    """An OAuth client that a provider registered for us on the fly: one for each server and issuer."""

    server = models.ForeignKey(RemoteServer, on_delete=models.CASCADE, related_name="clients")
    issuer = models.CharField(max_length=2000)
    registration = EncryptedTextField(help_text="Sealed JSON: the provider's answer, RFC 7591 section 3.2.1.")
    secret_expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["server", "issuer"], name="remote_client_once")]

    def __str__(self) -> str:
        return f"{self.server} at {self.issuer}"


class RemoteSignIn(models.Model):
    """A sign-in under way, between the redirect to the provider and the callback. Taken once, within minutes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    server = models.ForeignKey(RemoteServer, on_delete=models.CASCADE, related_name="+")
    state_digest = models.BinaryField(max_length=32, unique=True, editable=False)
    # SHA-256 of a secret in the browser's session: another browser cannot finish what this one began.
    session_digest = models.BinaryField(max_length=32, editable=False)
    pending = EncryptedTextField(help_text="Sealed JSON: the verifier, the issuer, its endpoints and the client.")
    return_to = models.CharField(max_length=500, blank=True, help_text="A path of ours to go back to.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="remote_sign_in_by_expiry")]

    def __str__(self) -> str:
        return f"{self.user} at {self.server}"


class RemoteIssuer(models.Model):
    """How a provider has been behaving: a breaker, shared by all workers, for each issuer."""

    issuer = models.CharField(max_length=2000, unique=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    closed_until = models.DateTimeField(null=True, blank=True, help_text="Nothing is asked of it before.")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.issuer
