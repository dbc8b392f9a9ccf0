"""Who a page acts for, under the name that pages above the shell know it by."""

from accounts.page_caller import caller, person

__all__ = ["caller", "person"]
