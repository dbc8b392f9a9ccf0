"""Workflows: agents whose work is a graph, versioned and published. What runs them stands on these versions."""
