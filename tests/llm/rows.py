"""Rows of providers for tests."""

from accounts.models import Organization
from llm.models import Kind, Provider
from tests.fakes.model_provider import KEY, ModelProvider


def provider_row(organization: Organization, served: ModelProvider) -> Provider:
    """The organization's default provider, which speaks OpenAI's protocol."""
    return Provider.objects.create(
        organization=organization,
        name="main",
        kind=Kind.COMPATIBLE,
        base_url=served.openai,
        api_key=KEY,
        default_model="gpt-5",
        is_default=True,
    )
