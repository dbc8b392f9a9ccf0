"""An agent's answer: what it is told, the tools it is given, the loop that carries a turn out, and who runs it."""
