"""The pages of agents and browser profiles."""
