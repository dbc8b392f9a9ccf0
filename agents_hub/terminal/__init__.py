"""Talking to an agent on a terminal: what is typed, what is shown, and following a turn to its end."""
