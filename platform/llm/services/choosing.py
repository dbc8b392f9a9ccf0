"""Naming a model to be asked: whether an organization has what the name names, and what there is to choose from."""

from llm import scripted, windows
from llm.models import Provider, ProviderQuerySet
from llm.services.providers import MODEL, fault


def checked_model(organization_id: int, model: str) -> str:
    """The name as it is kept: `provider:model`, `provider` for its own model, or nothing for the default.

    Raises `Invalid`, for the field `model`, where asking it could not work.
    """
    model = model.strip()
    if model in ("", scripted.NAME):
        return model
    name, colon, rest = model.partition(":")
    providers = {row.name: row.enabled for row in _providers(organization_id)}
    if not providers:
        raise fault(
            "model", "The organization has no provider of models yet. Leave this empty, or add one under Models."
        )
    if name not in providers:
        there = ", ".join(sorted(known for known, enabled in providers.items() if enabled))
        raise fault("model", f"There is no provider “{name[:60]}”. Write provider:model, with one of: {there}.")
    if not providers[name]:
        raise fault("model", f"The provider “{name}” is switched off. An administrator can enable it under Models.")
    if colon and not MODEL.fullmatch(rest):
        raise fault("model", "What comes after the colon is a model's name, in one word of at most 160 characters.")
    return model


def suggested_models(organization_id: int) -> list[str]:
    """`provider:model` of each provider's own model, the default provider's first."""
    enabled = _providers(organization_id).filter(enabled=True).order_by("-is_default", "name")
    return [f"{row.name}:{row.default_model}" for row in enabled]


def window_of(organization_id: int, model: str) -> int | None:
    """The tokens that the model named takes: as its provider's settings say, else as the list of prices knows it."""
    provider = _providers(organization_id).meant_by(model)
    if provider is None:
        return None
    name = model.partition(":")[2] or provider.default_model
    return provider.context_window or windows.known(provider.kind, provider.base_url, name)


def _providers(organization_id: int) -> ProviderQuerySet:
    return Provider.objects.filter(organization_id=organization_id).defer("api_key")
