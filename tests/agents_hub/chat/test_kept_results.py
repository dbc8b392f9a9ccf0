"""How long a browser keeps what a tool gave: for good where it stays, and not where the call may be made again."""

import pytest
from django.test import Client

from agents_hub.models import ToolUse
from tests.agents_hub.chat.seeing import url
from tests.agents_hub.chat.talks import Talk, begun

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("status", "is_kept"), [("done", True), ("failed", True), ("stopped", False)])
def test_a_result_is_kept_where_it_stays_as_it_is(browser: Client, talk: Talk, status: str, is_kept: bool) -> None:
    use = ToolUse.objects.create(
        turn=begun(talk), round=1, place=1, name="x", title="Look", origin="server:1", origin_name="Tides",
        status=status, result={"content": [{"type": "text", "text": "Six."}], "structured": None, "notes": []},
    )  # fmt: skip
    for address in (url("result", use.pk, 1), url("whole-result", use.pk)):
        answer = browser.get(address)
        assert answer.status_code == 200
        assert ("immutable" in answer["Cache-Control"]) is is_kept
        assert "private" in answer["Cache-Control"]
