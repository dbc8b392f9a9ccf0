"""Agents: who they are, the browser profiles they use, and the files they share."""
