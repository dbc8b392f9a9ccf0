"""The pages of workflows: executions, and an agent's versions."""
