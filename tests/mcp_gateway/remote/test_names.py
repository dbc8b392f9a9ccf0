"""What remote tools are called: within what models take, never two alike, the same tomorrow."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcp_gateway.remote.names import LONGEST, tool_name

ACCEPTED = re.compile(r"[A-Za-z0-9_-]{1,64}")
SLUGS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", max_size=24)
IDS = st.integers(1, 2**63 - 1)
# Names of all sorts, and many that differ little: what is cut or replaced must still tell them apart.
TOOLS = st.text(max_size=120) | st.text("ab_.é", max_size=70)


@pytest.mark.parametrize(
    ("slug", "server_id", "tool", "name"),
    [
        ("hubspot", 12, "create_contact", "hubspot_12__create_contact"),
        ("cloudflare-docs", 3, "search-docs", "cloudflare-docs_3__search-docs"),
        ("notes", 7, "notes.read", "notes_7__notes_read_x14a9bb38830b"),
    ],
    ids=["plain", "hyphens", "a dot"],
)
def test_a_name_is_the_slug_the_id_and_the_tools_own_name(slug: str, server_id: int, tool: str, name: str) -> None:
    """They are written down here, because conversations and workflows that name them live longer than a release."""
    assert tool_name(slug, server_id, tool) == name


@given(SLUGS, IDS, TOOLS)
@example("", 1, "")
@example("a" * 24, 2**63 - 1, "x" * 500)
def test_any_tool_gets_a_name_that_models_take(slug: str, server_id: int, tool: str) -> None:
    assert ACCEPTED.fullmatch(tool_name(slug, server_id, tool))


@given(SLUGS, IDS, TOOLS, SLUGS, IDS, TOOLS)
@example("a", 1, "b_2__c", "a_1__b", 2, "c")
@example("a", 1, "_b", "a", 1, "b")
def test_two_tools_never_share_a_name(
    slug: str, server_id: int, tool: str, other_slug: str, other_id: int, other_tool: str
) -> None:
    if server_id == other_id:
        other_slug = slug  # a server has one slug
    same = (server_id, tool) == (other_id, other_tool)
    assert (tool_name(slug, server_id, tool) == tool_name(other_slug, other_id, other_tool)) == same


@given(SLUGS, IDS, TOOLS)
def test_a_tool_cannot_take_the_shortened_name_of_another(slug: str, server_id: int, tool: str) -> None:
    """A server chooses its tools' names, and may know how ours are made."""
    name = tool_name(slug, server_id, tool)
    copy = name.split("__", 1)[1]
    assert copy == tool or tool_name(slug, server_id, copy) != name


def test_a_long_name_is_shortened_and_still_says_what_it_is() -> None:
    name = tool_name("warehouse", 41, "list_every_shipment_that_left_the_warehouse_in_the_last_week")
    assert len(name) == LONGEST
    assert name.startswith("warehouse_41__list_every_shipment_that_left")
