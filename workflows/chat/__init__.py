"""Workflows for those who talk to an agent: its tools that run one and look at a run."""
