"""Transcripts: whatever people wrote, the page stays harmless, readable and the same for the same ticket."""

import hashlib
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.models import Bot, Guild, Ticket, TicketMessage
from bots.services import tickets, transcript_page, transcripts
from tests.bots.factories import TicketFactory, TicketMessageFactory, caller_for

MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
# What a browser could load, run or send with.
ACTIVE_TAGS = {
    "script",
    "img",
    "iframe",
    "object",
    "embed",
    "form",
    "input",
    "svg",
    "math",
    "link",
    "base",
    "video",
    "audio",
}


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text beside them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(content: str, **message: object) -> str:
    ticket = Ticket(
        number=7, subject="A question", opener_id=1, opener_name="mira", created_at=MOMENT, guild=Guild(name="Harbour")
    )
    said = {"message_id": 9, "author_name": "mira", "content": content, "sent_at": MOMENT, **message}
    return transcript_page.render(ticket, [TicketMessage(ticket=ticket, **said)])


def assert_harmless(page: str) -> None:
    for tag, attributes in Elements(page).found:
        assert tag not in ACTIVE_TAGS
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        if (href := attributes.get("href")) is not None:
            assert href.startswith(("http://", "https://"))


@pytest.mark.parametrize(
    "content",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<ScRiPt/src=//evil.example/x.js>",
        "</div></article></main><script>alert(1)</script>",
        "[click](javascript:alert(1))",
        "[click](JaVaScRiPt&colon;alert(1))",
        "[click](data:text/html;base64,PHNjcmlwdD4=)",
        "[click](vbscript:msgbox)",
        "<javascript:alert(1)>",
        '[x](https://ok.example/" onmouseover="alert(1))',
        "![pixel](https://tracker.example/p.png)",
        "```html\n<script>alert(1)</script>\n```",
        "`<svg/onload=alert(1)>`",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<!-- --><style>*{display:none}</style>",
        '<a href="https://ok.example" onclick="alert(1)">x</a>',
        "[a]: javascript:alert(1)\n\n[a]",
        "<math><mtext></p><script>alert(1)</script>",
        "]]><script>alert(1)</script>",
    ],
)
def test_hostile_content_stays_text(content: str) -> None:
    assert_harmless(page_of(content))


def test_hostile_names_subjects_reasons_and_attachments_stay_text() -> None:
    hostile = '"><script>alert(1)</script>'
    ticket = Ticket(
        number=7,
        subject=hostile,
        category=hostile,
        opener_id=1,
        opener_name=hostile,
        created_at=MOMENT,
        closed_at=MOMENT,
        close_reason=hostile,
        guild=Guild(name=hostile, bot=Bot()),
    )
    message = TicketMessage(
        message_id=9,
        author_name=hostile,
        content="",
        sent_at=MOMENT,
        attachments=[
            {"name": hostile, "url": "https://cdn.example/a.png", "size": 3},
            {"name": "run me", "url": "javascript:alert(1)", "size": 3},
            {"name": "odd", "url": "https://[broken", "size": None},
            {"name": "quote", "url": 'https://cdn.example/"onmouseover="alert(1)', "size": 3},
        ],
    )
    page = transcript_page.render(ticket, [message])
    assert_harmless(page)
    links = [attributes["href"] for tag, attributes in Elements(page).found if tag == "a"]
    assert links == ["https://cdn.example/a.png", 'https://cdn.example/"onmouseover="alert(1)']


@pytest.mark.parametrize(
    "steering", ["\u202e", "\u2066", "\u200f", "\u061c", "\ufeff", "\u200b", "\x00", "\x1b", "\U000e0041"]
)
def test_characters_that_steer_or_hide_text_are_shown_by_name(steering: str) -> None:
    page = page_of(f"invoice{steering}fdp.exe", author_name=f"mi{steering}ra")
    assert steering not in page
    assert page.count(f"[U+{ord(steering):04X}]") == 2


def test_people_in_scripts_from_right_to_left_are_left_as_they_wrote() -> None:
    assert "שלום, הכול בסדר?" in page_of("שלום, הכול בסדר?")


def test_markdown_reads_as_it_does_at_discord() -> None:
    page = page_of("**bold** ~~gone~~ `code`\nnext line\n> quoted\n\n[site](https://example.com/?a=1&b=2)")
    for expected in (
        "<strong>bold</strong>",
        "<s>gone</s>",
        "<code>code</code><br>",
        "<blockquote>",
        'href="https://example.com/?a=1&amp;b=2"',
        'rel="noopener noreferrer nofollow"',
    ):
        assert expected in page


def test_the_page_says_who_wrote_when_and_what_was_edited_or_attached() -> None:
    page = page_of(
        "Here is the log.",
        is_staff=True,
        edited_at=MOMENT.replace(hour=13),
        attachments=[{"name": "log.txt", "url": "https://cdn.example/log.txt", "size": 2048}],
    )
    text = Elements(page).text
    for expected in ("mira", "Staff", "2026-03-01 12:30 UTC", "edited 2026-03-01 13:30 UTC", "log.txt (2,048 bytes)"):
        assert expected in text


def test_the_page_allows_itself_nothing_but_its_own_style() -> None:
    page = page_of("Hello")
    style = page.split("<style>")[1].split("</style>")[0]
    (policy,) = [
        attributes["content"] or ""
        for tag, attributes in Elements(page).found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    import base64

    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_text_at_all_makes_the_page_active_or_unstable(content: str) -> None:
    page = page_of(content)
    assert_harmless(page)
    assert page == page_of(content)
    assert page.count("<article") == page.count("</article>") == 1


@pytest.mark.django_db
def test_the_stored_facts_are_those_of_the_page() -> None:
    ticket = TicketFactory(message_count=2)
    TicketMessageFactory.create_batch(2, ticket=ticket)
    stored = tickets.get_transcript(caller_for(ticket.bot.owner), ticket_id=ticket.pk)
    encoded = stored.html.encode()
    assert stored.bytes == len(encoded)
    assert stored.sha256 == hashlib.sha256(encoded).hexdigest()
    assert stored.messages == 2


@pytest.mark.django_db
def test_a_very_long_ticket_keeps_its_newest_messages_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "MOST_MESSAGES", 2)
    ticket = TicketFactory(message_count=3)
    for number in (1, 2, 3):
        TicketMessageFactory(ticket=ticket, message_id=number, content=f"message {number}")
    page = tickets.get_transcript(caller_for(ticket.bot.owner), ticket_id=ticket.pk).html
    assert "message 1" not in page
    assert page.index("message 2") < page.index("message 3")
    assert "1 older messages are left out" in page
