"""How many tokens models take, as the library of prices knows them."""

from llm.models import Kind

# The library's names of our kinds. A compatible server is known by its address, if at all.
NAMES = {Kind.OPENAI: "openai", Kind.ANTHROPIC: "anthropic", Kind.GOOGLE: "google"}


def known(kind: str, base_url: str, name: str) -> int | None:
    """The window of the model in tokens, None where nobody knows it."""
    from genai_prices.data_snapshot import get_snapshot

    provider = NAMES.get(Kind(kind))
    try:
        _, model = get_snapshot().find_provider_model(name, None, provider, None if provider else base_url)
    except LookupError:
        return None
    return model.context_window
