"""Profiles on the wire: as they are shown, made and changed. Secrets go in and never come out."""

from typing import Annotated, Literal

from pydantic import Field

from agents_hub.models import Profile, ProfileCookie, ProfileCredential
from agents_hub.shapes.wire import Id, PartId, ProfileId
from mcp_gateway.shapes import Arguments, Moment, OrganizationId, PageArguments, PageOf, Result

ProxyMode = Literal["none", "managed", "custom", "tailscale", "gateway"]
ProxyCountry = Literal["us", "uk", "fr", "it", "jp", "au", "de", "fi", "ca"]
ProxyType = Literal["basic", "residential", "mobile"]
OperatingSystem = Literal["macos", "windows"]
SameSite = Literal["Strict", "Lax", "None"]

Name = Annotated[str, Field(min_length=1, max_length=255)]
Description = Annotated[str, Field(max_length=1000)]
InboxPrefix = Annotated[
    str, Field(pattern=r"^[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?$", description="What stands before the @.")
]
SecretText = Annotated[str, Field(min_length=1, max_length=16_384)]


class CustomProxyShape(Result):
    server: str
    username: str


class CredentialShape(Result):
    id: Id
    name: str
    created_at: Moment

    @classmethod
    def of(cls, credential: ProfileCredential) -> "CredentialShape":
        return cls(id=credential.pk, name=credential.name, created_at=credential.created_at)


class CookieShape(Result):
    id: Id | None
    name: str
    key: str
    value: str
    domain: str
    expiry: Moment | None
    secure: bool
    same_site: SameSite
    http_only: bool
    created_at: Moment | None

    @classmethod
    def of(cls, cookie: ProfileCookie) -> "CookieShape":
        return cls(
            id=cookie.pk,
            name=cookie.name,
            key=cookie.key,
            value=cookie.value,
            domain=cookie.domain,
            expiry=cookie.expiry,
            secure=cookie.secure,
            same_site=cookie.same_site,
            http_only=cookie.http_only,
            created_at=cookie.created_at,
        )


class ProfileShape(Result):
    id: Id
    name: str
    description: str
    organization_id: Id
    proxy_mode: ProxyMode
    proxy_cc: ProxyCountry | None = Field(alias="proxyCC")
    proxy_type: ProxyType | None
    custom_proxy: CustomProxyShape | None
    proxy_gateway_preset_id: str | None
    captcha_solver_active: bool
    sticky_ip: bool = Field(alias="stickyIP")
    operating_system: OperatingSystem | None
    extra_stealth: bool
    cache_persistence: bool
    adblock_active: bool
    popup_blocker_active: bool
    force_popups_as_tabs_active: bool
    media_blocker_active: bool
    pdf_viewer_active: bool
    tracing_enabled: bool
    inbox_email_prefix: str | None
    inbox_email: str
    credentials: list[CredentialShape]
    cookies: list[CookieShape]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, profile: Profile) -> "ProfileShape":
        """From a row with its organization, credentials and cookies at hand."""
        custom = None
        if profile.proxy_mode == "custom":
            custom = CustomProxyShape(server=profile.proxy_server, username=profile.proxy_username)
        return cls.model_validate(
            {
                "id": profile.pk,
                "name": profile.name,
                "description": profile.description,
                "organization_id": profile.organization.uid,
                "proxy_mode": profile.proxy_mode,
                "proxyCC": profile.proxy_country or None,
                "proxy_type": profile.proxy_type or None,
                "custom_proxy": custom,
                "proxy_gateway_preset_id": profile.proxy_gateway_preset or None,
                "captcha_solver_active": profile.captcha_solver,
                "stickyIP": profile.sticky_ip,
                "operating_system": profile.operating_system or None,
                "extra_stealth": profile.extra_stealth,
                "cache_persistence": profile.cache_persistence,
                "adblock_active": profile.adblock,
                "popup_blocker_active": profile.popup_blocker,
                "force_popups_as_tabs_active": profile.popups_as_tabs,
                "media_blocker_active": profile.media_blocker,
                "pdf_viewer_active": profile.pdf_viewer,
                "tracing_enabled": profile.tracing,
                "inbox_email_prefix": profile.inbox_prefix or None,
                "inbox_email": profile.inbox_email,
                "credentials": [CredentialShape.of(credential) for credential in profile.credentials.all()],
                "cookies": [CookieShape.of(cookie) for cookie in profile.cookies.all()],
                "created_at": profile.created_at,
                "updated_at": profile.updated_at,
            }
        )


class ProfilePage(PageOf[ProfileShape]):
    pass


class ListProfiles(PageArguments):
    organization_id: OrganizationId | None = Field(None, description="Only this organization's; else all of yours.")
    search_name: Annotated[str, Field(max_length=255, description="Part of the name, in any case.")] | None = None
    sort_field: Literal["name", "created_at", "updated_at"] = "created_at"


class CustomProxyInput(Arguments):
    server: Annotated[str, Field(min_length=1, max_length=300, description="host:port, or a URL of a proxy.")]
    username: Annotated[str, Field(max_length=255)] = ""
    password: SecretText | None = Field(
        None, description="Write-only. Leave out or send [REDACTED] to keep the stored one."
    )


class CredentialInput(Arguments):
    name: Name = Field(description="Kept in upper case.")
    data: SecretText = Field(description="The secret itself. Write-only.")


class CookieInput(Arguments):
    name: Name
    key: Name
    value: Annotated[str, Field(max_length=4096)]
    domain: Annotated[str, Field(min_length=1, max_length=253)]
    expiry: Moment | None = None
    secure: bool = False
    same_site: SameSite = "Lax"
    http_only: bool = False


class ProfileFields(Arguments):
    """The fields that creating and changing a profile share; one left out keeps its value, or takes its default."""

    name: Name | None = None
    description: Description | None = None
    proxy_mode: ProxyMode | None = None
    proxy_cc: ProxyCountry | None = Field(None, alias="proxyCC")
    proxy_type: ProxyType | None = Field(None, description="Required with proxyMode managed.")
    custom_proxy: CustomProxyInput | None = Field(None, description="Required with proxyMode custom.")
    tailscale_auth_key: SecretText | None = Field(None, description="Required with proxyMode tailscale. Write-only.")
    proxy_gateway_preset_id: Annotated[str, Field(max_length=100)] | None = Field(
        None, description="Required with proxyMode gateway."
    )
    captcha_solver_active: bool | None = Field(None, description="Only with proxyMode managed.")
    sticky_ip: bool | None = Field(None, alias="stickyIP", description="Only with proxyMode managed.")
    operating_system: OperatingSystem | None = None
    extra_stealth: bool | None = None
    cache_persistence: bool | None = None
    adblock_active: bool | None = None
    popup_blocker_active: bool | None = Field(None, description="Only with adblockActive.")
    force_popups_as_tabs_active: bool | None = None
    media_blocker_active: bool | None = None
    pdf_viewer_active: bool | None = None
    tracing_enabled: bool | None = None
    inbox_email_prefix: InboxPrefix | None = None


class CreateProfile(ProfileFields):
    name: Name
    description: Description
    organization_id: OrganizationId
    credentials: Annotated[list[CredentialInput], Field(max_length=100)] = []
    cookies: Annotated[list[CookieInput], Field(max_length=500)] = []


class UpdateProfile(ProfileFields):
    profile_id: ProfileId
    credentials_to_add: Annotated[list[CredentialInput], Field(max_length=100)] = []
    credentials_to_update: Annotated[list[CredentialInput], Field(max_length=100)] = Field(
        [], description="Matched by their names in upper case."
    )
    credentials_to_delete: Annotated[list[PartId], Field(max_length=100)] = []
    cookies_to_add: Annotated[list[CookieInput], Field(max_length=500)] = []
    cookies_to_delete: Annotated[list[PartId], Field(max_length=500)] = []


class OneProfile(Arguments):
    profile_id: ProfileId


class DuplicateProfile(OneProfile):
    organization_id: OrganizationId | None = Field(None, description="Where the copy goes; else beside the original.")
