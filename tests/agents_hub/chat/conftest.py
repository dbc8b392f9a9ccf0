"""The sandbox Discord of the bots' tests, for agents that are given a bot."""

from tests.bots.conftest import harbour

__all__ = ["harbour"]
