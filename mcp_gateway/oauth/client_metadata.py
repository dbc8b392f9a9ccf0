"""What a client says of itself (RFC 7591 section 2), and what of it we accept: public clients with the code grant."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mcp_gateway.models import Application
from mcp_gateway.oauth import redirects

GRANTS = ("authorization_code", "refresh_token")
MOST_REDIRECTS = 10


class ClientMetadata(BaseModel):
    """The members that mean something here; the rest is passed over, as the RFC allows."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    redirect_uris: Annotated[list[str], Field(min_length=1, max_length=MOST_REDIRECTS)]
    client_name: Annotated[str, Field(max_length=100)] = ""
    client_uri: Annotated[str, Field(max_length=500)] = ""
    grant_types: list[str] = ["authorization_code"]
    response_types: list[str] = ["code"]
    token_endpoint_auth_method: str = "none"  # noqa: S105

    @field_validator("redirect_uris")
    @classmethod
    def _redirects_are_safe(cls, uris: list[str]) -> list[str]:
        faults = [fault for uri in uris if (fault := redirects.fault(uri))]
        if faults:
            raise ValueError(" ".join(faults))
        return uris

    @field_validator("client_name")
    @classmethod
    def _name_is_one_line(cls, name: str) -> str:
        if not name.isprintable():
            raise ValueError("The name has characters that cannot be shown.")
        return name

    @field_validator("client_uri")
    @classmethod
    def _home_page_is_a_page(cls, uri: str) -> str:
        return uri if uri.startswith(("https://", "http://")) else ""

    @field_validator("grant_types")
    @classmethod
    def _grants_are_ours(cls, grants: list[str]) -> list[str]:
        foreign = [grant for grant in grants if grant not in GRANTS]
        if foreign or "authorization_code" not in grants:
            raise ValueError(f"Only the grants {' and '.join(GRANTS)} are given.")
        return grants

    @field_validator("response_types")
    @classmethod
    def _responses_are_codes(cls, responses: list[str]) -> list[str]:
        if responses != ["code"]:
            raise ValueError('The only response type is "code".')
        return responses

    @field_validator("token_endpoint_auth_method")
    @classmethod
    def _client_is_public(cls, method: str) -> str:
        if method != "none":
            raise ValueError('A client that registers itself is public: token_endpoint_auth_method is "none".')
        return method

    def columns(self) -> dict[str, Any]:
        """The metadata as the columns of an application."""
        return {
            "name": self.client_name,
            "client_uri": self.client_uri,
            "redirect_uris": " ".join(self.redirect_uris),
            "client_type": Application.CLIENT_PUBLIC,
            "client_secret": "",
        }
