"""Rules about imports that hold inside of packages; those between packages are contracts in pyproject.toml."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OF_HTTP = ("django.http", "django.shortcuts", "django.views", "django.urls", "rest_framework", "starlette")


def services() -> list[Path]:
    return sorted(path for path in ROOT.glob("*/services/*.py")) + sorted(ROOT.glob("platform/*/services/*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_there_are_services_to_look_at() -> None:
    assert {path.parents[1].name for path in services()} >= {"accounts", "agents_hub", "bots"}


@pytest.mark.parametrize("path", services(), ids=lambda path: str(path.relative_to(ROOT)))
def test_services_know_nothing_of_http(path: Path) -> None:
    assert not [name for name in imported(path) if name.startswith(OF_HTTP)]
