"""Rows of providers for tests."""

from accounts.models import Organization
from llm.models import Kind, Provider
from tests.fakes.model_provider import KEY, ModelProvider

# Of each kind the row's name and its default model.
ROWS = {
    Kind.COMPATIBLE: ("main", "gpt-5"),
    Kind.ANTHROPIC: ("claude", "claude-sonnet-4-6"),
    Kind.GOOGLE: ("gemini", "gemini-2.5-flash"),
}


def provider_row(organization: Organization, served: ModelProvider, kind: Kind = Kind.COMPATIBLE) -> Provider:
    """A provider of that kind at the fake one; the one that speaks OpenAI's protocol is the organization's default."""
    name, model = ROWS[kind]
    addresses = {Kind.COMPATIBLE: served.openai, Kind.ANTHROPIC: served.anthropic, Kind.GOOGLE: served.google}
    return Provider.objects.create(
        organization=organization,
        name=name,
        kind=kind,
        base_url=addresses[kind],
        api_key=KEY,
        default_model=model,
        is_default=kind is Kind.COMPATIBLE,
    )
