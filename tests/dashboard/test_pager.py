"""The links between counted pages: there where there is another page, and nowhere else."""

import pytest
from django.template import engines
from django.test import RequestFactory

from dashboard.numbered_pages import NumberedPage


@pytest.mark.parametrize(
    ("number", "total", "links"),
    [(1, 0, []), (1, 25, []), (1, 26, ["next"]), (2, 51, ["prev", "next"]), (3, 51, ["prev"])],
)
def test_pages_lead_to_those_before_and_after_and_keep_the_rest_of_the_address(
    number: int, total: int, links: list[str]
) -> None:
    template = engines["django"].from_string("{% load shell %}{% numbered_pager page %}")
    request = RequestFactory().get("/list", {"search": "a&b", "page": str(number)})
    shown = template.render({"page": NumberedPage([], number, 25, total)}, request)
    assert [name for name in ("prev", "next") if f'rel="{name}"' in shown] == links
    assert all(
        f"?search=a%26b&amp;page={number + step}" in shown
        for name, step in (("prev", -1), ("next", 1))
        if name in links
    )
