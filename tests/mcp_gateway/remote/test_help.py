"""Every problem leads to a part of a guide that is there."""

import pytest

from dashboard import guidebook
from mcp_gateway.remote.oauth.errors import Reason
from mcp_gateway.remote.pages import help as guides
from mcp_gateway.remote.problems import Code


@pytest.mark.parametrize("code", list(Code), ids=str)
def test_every_code_leads_to_a_heading_of_a_guide(code: Code) -> None:
    slug, anchor = guides.SECTIONS[code]
    guide = guidebook.guide(slug)
    assert guide is not None
    assert anchor in {heading.anchor for heading in guide.headings}
    assert guides.address(code) == f"/docs/{slug}#{anchor}"


@pytest.mark.parametrize("code", sorted(guides.ERRORS), ids=str)
def test_so_does_every_error_of_a_connection_and_every_reason_of_a_sign_in(code: str) -> None:
    slug, anchor = guides.ERRORS[code]
    guide = guidebook.guide(slug)
    assert guide is not None
    assert anchor in {heading.anchor for heading in guide.headings}


def test_no_reason_of_a_sign_in_is_left_without_help() -> None:
    assert set(Reason) <= set(guides.ERRORS) | set(Code)


def test_an_unknown_code_leads_to_the_guide_on_connections() -> None:
    assert guides.address("something_new") == "/docs/troubleshooting-connection"
