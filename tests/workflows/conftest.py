"""What tests with workers of their own share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.workflows.crowd import Workers


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Callable[..., Workers]]:
    with ExitStack() as running:
        yield lambda **environment: Workers(tmp_path, running, **environment)
