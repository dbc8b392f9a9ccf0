"""Workflows and executions on the wire."""
