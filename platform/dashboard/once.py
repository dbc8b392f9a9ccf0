"""Forms that act once, under the name that pages above the shell know them by."""

from security.once import issue, spend

__all__ = ["issue", "spend"]
