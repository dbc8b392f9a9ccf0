"""What tools give, as a chat shows it: never as anything that runs."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents_hub.models import Inquiry, ToolUse
from tests.agents_hub.chat.seeing import asked, shown, url
from tests.agents_hub.chat.talks import Talk

pytestmark = pytest.mark.django_db


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.mark.parametrize(
    ("block", "content_type", "is_kept"),
    [
        ({"type": "image", "mimeType": "image/png", "data": PIXEL}, "image/png", False),
        ({"type": "image", "mimeType": "image/svg+xml", "data": PIXEL}, "application/octet-stream", True),
        ({"type": "text", "text": "<script>alert(1)</script>"}, "application/octet-stream", True),
        (
            {"type": "resource", "resource": {"uri": "ui://x", "mimeType": "text/html", "text": "<script>"}},
            "application/octet-stream",
            True,
        ),
        (
            {"type": "resource", "resource": {"uri": "ui://x", "mimeType": "text/html", "blob": PIXEL}},
            "application/octet-stream",
            True,
        ),
    ],
)
def test_what_a_tool_gave_is_an_image_or_a_file_to_keep_and_never_runs(
    browser: Client, talk: Talk, block: dict[str, Any], content_type: str, is_kept: bool
) -> None:
    use = asked(talk.say(), Inquiry.Kind.PERMISSION).tool_use
    ToolUse.objects.update(result={"content": [block]}, status="done", ended_at=timezone.now())
    page = shown(browser, talk)
    assert "<script>alert" not in page
    answer = browser.get(url("result", use.pk, 1))
    assert answer.headers["Content-Type"] == content_type
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers.get("Content-Disposition", "").startswith("attachment") == is_kept
    assert browser.get(url("result", use.pk, 2)).status_code == 404


def texts(browser: Client, talk: Talk, given: str, structured: Any = None) -> list[str]:
    """How the page shows what a tool gave: its text, and its structured content where that says more."""
    asked(talk.say(), Inquiry.Kind.PERMISSION)
    result = {"content": [{"type": "text", "text": given}], "structured": structured}
    ToolUse.objects.update(result=result, status="done", ended_at=timezone.now())
    found = re.findall(r"<pre[^>]*>(.*?)</pre>", shown(browser, talk), re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", one)) for one in found]


def test_json_is_shown_as_people_read_it(browser: Client, talk: Talk) -> None:
    given = {"tickets": [{"id": "48", "subject": "Ünder <b>", "open": True, "price": 1.5}], "more": {}}
    indented = json.dumps(given, indent=2, ensure_ascii=False)
    # Said in both ways, it is shown once.
    assert texts(browser, talk, json.dumps(given, ensure_ascii=False), given) == [indented]


@pytest.mark.parametrize(
    "given",
    [
        '{"a": 1, "a": 2}',
        "[1e2]",
        "{not JSON",
        "[" * 150 + "]" * 150,
        "[" * 5_000 + "]" * 5_000,
        '["\\u00fc"]',
    ],
    ids=["a name twice", "another number", "none", "much of little", "too deep", "escaped"],
)
def test_a_text_that_indenting_would_change_is_shown_as_it_came(browser: Client, talk: Talk, given: str) -> None:
    shown_text, *structured = texts(browser, talk, given, {"else": 1})
    assert shown_text.replace("\n", "").replace(" ", "") == given.replace(" ", "")
    assert structured == ['{\n  "else": 1\n}']


def test_links_that_a_tool_gives_lead_to_the_web_or_nowhere(browser: Client, talk: Talk) -> None:
    asked(talk.say(), Inquiry.Kind.PERMISSION)
    links = [
        {"type": "resource_link", "name": "It", "uri": uri} for uri in ("javascript:alert(1)", "https://web.example/a")
    ]
    ToolUse.objects.update(result={"content": links}, status="done", ended_at=timezone.now())
    page = shown(browser, talk)
    assert 'href="javascript:' not in page
    assert '<a href="https://web.example/a" target="_blank" rel="noopener noreferrer nofollow">It</a>' in page


def test_a_huge_text_of_a_tool_is_cut_in_the_page_and_whole_by_its_address(browser: Client, talk: Talk) -> None:
    use = asked(talk.say(), Inquiry.Kind.PERMISSION).tool_use
    ToolUse.objects.update(
        result={"content": [{"type": "text", "text": "x" * 500_000}]}, status="done", ended_at=timezone.now()
    )
    assert len(shown(browser, talk)) < 100_000
    assert len(browser.get(url("result", use.pk, 1)).content) == 500_000
