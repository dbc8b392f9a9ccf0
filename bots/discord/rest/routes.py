"""Routes as Discord's rate limits see them: a method and a path template, with the one parameter that splits the limit.

https://discord.com/developers/docs/topics/rate-limits: limits are kept by route and, for guilds, channels and webhooks,
by that top-level id.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """One request's address. `name` is what the limit is learned under, `major` the id that splits it (0 for none)."""

    method: str
    template: str
    path: str
    major: int

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"


_MAJOR = ("guild", "channel")


def route(method: str, template: str, **ids: int) -> Route:
    """The route of `template` with its `{name}` places filled in by `ids`."""
    major = next((int(ids[name]) for name in _MAJOR if name in ids), 0)
    return Route(method, template, template.format(**{name: int(value) for name, value in ids.items()}), major)
