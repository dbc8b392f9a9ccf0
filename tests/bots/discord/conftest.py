"""The sandbox Discord, for every test of this folder."""

from tests.fakes.discord import discord

__all__ = ["discord"]
