"""Browser profiles: how an agent's browser reaches the web, and as whom."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Organization
from agents_hub.models.tenancy import OrganizationQuerySet
from security.fields import EncryptedTextField
from security.identifiers import uuid7


class ProxyMode(models.TextChoices):
    NONE = "none", "None"
    MANAGED = "managed", "Managed"
    CUSTOM = "custom", "Custom"
    TAILSCALE = "tailscale", "Tailscale"
    GATEWAY = "gateway", "Gateway"


class ProxyCountry(models.TextChoices):
    US = "us", "United States"
    UK = "uk", "United Kingdom"
    FR = "fr", "France"
    IT = "it", "Italy"
    JP = "jp", "Japan"
    AU = "au", "Australia"
    DE = "de", "Germany"
    FI = "fi", "Finland"
    CA = "ca", "Canada"


class ProxyType(models.TextChoices):
    BASIC = "basic", "Basic"
    RESIDENTIAL = "residential", "Residential"
    MOBILE = "mobile", "Mobile"


class OperatingSystem(models.TextChoices):
    MACOS = "macos", "macOS"
    WINDOWS = "windows", "Windows"


class SameSite(models.TextChoices):
    STRICT = "Strict", "Strict"
    LAX = "Lax", "Lax"
    NONE = "None", "None"


class ProfileQuerySet(OrganizationQuerySet["Profile"]):
    pass


class Profile(models.Model):
    """Secrets are write-only: a password and a key go in and are never in an answer."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="profiles")
    name = models.CharField(max_length=255)
    description = models.CharField(max_length=1000)
    proxy_mode = models.CharField(max_length=9, choices=ProxyMode.choices, default=ProxyMode.NONE)
    proxy_country = models.CharField(max_length=2, choices=ProxyCountry.choices, blank=True)
    proxy_type = models.CharField(max_length=11, choices=ProxyType.choices, blank=True)
    proxy_server = models.CharField(max_length=300, blank=True)
    proxy_username = models.CharField(max_length=255, blank=True)
    proxy_password = EncryptedTextField(null=True, blank=True)
    proxy_gateway_preset = models.CharField("proxy gateway preset", max_length=100, blank=True)
    tailscale_auth_key = EncryptedTextField(null=True, blank=True)
    captcha_solver = models.BooleanField(default=False)
    sticky_ip = models.BooleanField("sticky IP", default=False)
    operating_system = models.CharField(max_length=7, choices=OperatingSystem.choices, blank=True)
    extra_stealth = models.BooleanField(default=False)
    cache_persistence = models.BooleanField(default=False)
    adblock = models.BooleanField(default=False)
    popup_blocker = models.BooleanField(default=False)
    popups_as_tabs = models.BooleanField(default=True)
    media_blocker = models.BooleanField(default=False)
    pdf_viewer = models.BooleanField(default=False)
    tracing = models.BooleanField(default=True)
    inbox_prefix = models.CharField(max_length=64, blank=True)
    # Raised when the persisted browser state is cleared: state of an older generation is not read again.
    cache_generation = models.PositiveIntegerField(default=0, editable=False)
    cache_cleared_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProfileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="profile_name_once"),
            models.UniqueConstraint(fields=["inbox_prefix"], condition=~Q(inbox_prefix=""), name="profile_inbox_once"),
            models.CheckConstraint(
                condition=Q(proxy_mode="managed") | Q(captcha_solver=False, sticky_ip=False),
                name="profile_solver_needs_managed_proxy",
            ),
            models.CheckConstraint(
                condition=Q(adblock=True) | Q(popup_blocker=False), name="profile_popup_blocker_needs_adblock"
            ),
            models.CheckConstraint(
                condition=~Q(proxy_mode="managed") | ~Q(proxy_type=""), name="profile_managed_proxy_has_its_type"
            ),
            models.CheckConstraint(
                condition=~Q(proxy_mode="custom") | Q(proxy_password__isnull=False) & ~Q(proxy_server=""),
                name="profile_custom_proxy_is_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="profile_by_creation"),
            models.Index(fields=["organization", "-updated_at", "-id"], name="profile_by_update"),
            models.Index(fields=["organization", "name", "id"], name="profile_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def inbox_email(self) -> str:
        return f"{self.inbox_prefix or self.id.hex}@{settings.INBOX_DOMAIN}"


class ProfileCredentialQuerySet(OrganizationQuerySet["ProfileCredential"]):
    organization_path = "profile__organization"


class ProfileCredential(models.Model):
    """A named secret of a profile. Tools are given it by name; its value is in no answer."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="credentials")
    name = models.CharField(max_length=255, help_text="Kept in upper case.")
    value = EncryptedTextField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProfileCredentialQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["profile", "name"], name="credential_name_once")]

    def __str__(self) -> str:
        return self.name


class ProfileCookieQuerySet(OrganizationQuerySet["ProfileCookie"]):
    organization_path = "profile__organization"


class ProfileCookie(models.Model):
    """A cookie set before the agent's browser opens a page. `name` is what people call it, `key` what is sent."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="cookies")
    name = models.CharField(max_length=255)
    key = models.CharField(max_length=255)
    value = EncryptedTextField()
    domain = models.CharField(max_length=253)
    expiry = models.DateTimeField(null=True, blank=True)
    secure = models.BooleanField(default=False)
    same_site = models.CharField(max_length=6, choices=SameSite.choices, default=SameSite.LAX)
    http_only = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProfileCookieQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.domain})"
