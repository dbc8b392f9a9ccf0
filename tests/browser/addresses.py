"""Every address that the URL map knows, filled in with rows that exist. A new page is found by itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from django.urls import URLPattern, URLResolver, get_resolver, reverse

# The admin is Django's; the tests of the admin look at it. The REST APIs have no pages.
LEFT_OUT = {"admin", "rest", "rest-remote", "rest-chat"}


@dataclass(frozen=True, slots=True)
class Address:
    name: str
    url: str


Values = Mapping[str, Sequence[object]]


def addresses(values: Values) -> Iterator[Address]:
    """One address for each named pattern and each combination of what `values` says for its arguments.

    `values` is by argument ("bot_id"), or by name and argument where a pattern needs its own ("dashboard:guide.slug").
    """
    for name, arguments in sorted(_patterns(get_resolver(), ())):
        missing = [one for one in arguments if one not in values and f"{name}.{one}" not in values]
        if missing:
            raise AssertionError(f"{name} takes {', '.join(missing)}: say in tests/browser/world.py what that can be.")
        choices = [values.get(f"{name}.{one}", values.get(one, ())) for one in arguments]
        for combination in product(*choices):
            yield Address(name, reverse(name, kwargs=dict(zip(arguments, combination, strict=True))))


def _patterns(resolver: URLResolver, namespaces: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            if not LEFT_OUT & set(inner):
                yield from _patterns(pattern, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            given = set(pattern.default_args)
            arguments = tuple(one for one in pattern.pattern.converters if one not in given)
            yield ":".join((*namespaces, pattern.name)), arguments
