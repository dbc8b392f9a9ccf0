"""What templates of agents and profiles ask for."""

from typing import Any

from django import template

from agents_hub.services.pages import NumberedPage

register = template.Library()


@register.filter
def last_page(page: NumberedPage[Any]) -> int:
    """The number of the list's last page, at least 1."""
    return max(1, -(-page.total // page.size))
