"""A ticket as one complete HTML page that may be opened anywhere: nothing in it runs, loads or hides.

The same ticket gives the same bytes. What people wrote passes through three gates: characters that steer or hide text
are shown by name, Markdown is rendered with HTML switched off, and what comes out is held to a list of harmless tags.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from html import escape
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt

from bots.models import Ticket, TicketMessage
from security.visible import STEERING, visible

_TAGS = {"p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"}
_WRITTEN = (
    MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False})
    .enable("strikethrough")
    .disable(["image", "heading", "lheading", "hr", "reference", "entity", "html_block", "html_inline"])
)
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0 0 2rem; }
dt, time, .edited, .role { color: light-dark(#5c6470, #9aa3b0); }
time, .edited, .role { font-size: .85rem; }
dd { margin: 0; overflow-wrap: anywhere; }
article { border-top: 1px solid light-dark(#dfe3e8, #333a44); padding: .8rem 0; }
header { display: flex; flex-wrap: wrap; gap: .2rem .6rem; align-items: baseline; }
.written { overflow-wrap: anywhere; }
.written p { margin: .2rem 0; }
pre { overflow-x: auto; padding: .5rem; background: light-dark(#f3f5f7, #1c2128); }
blockquote { margin: .3rem 0; padding-left: .8rem; border-left: 3px solid light-dark(#cfd5dc, #444c56); }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# Even if a gate had a hole, the page's own policy would let nothing run, load or be sent.
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"


def render(ticket: Ticket, messages: Sequence[TicketMessage], *, omitted: int = 0) -> str:
    """The page of `ticket` with `messages` in their order; `omitted` says how many older ones are left out."""
    title = f"Ticket {ticket.number}: {_plain(ticket.subject)}"
    note = f"<p>{omitted} older messages are left out of this page.</p>\n" if omitted else ""
    body = "\n".join(_article(message) for message in messages) or "<p>Nobody wrote anything in this ticket.</p>"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        f"{_facts(ticket)}\n{note}{body}\n</main>\n</body>\n</html>\n"
    )


def _plain(text: str) -> str:
    return escape(visible(text))


def _facts(ticket: Ticket) -> str:
    facts = [
        ("Guild", _plain(ticket.guild.name)),
        ("Opened by", f"<bdi>{_plain(ticket.opener_name)}</bdi> ({ticket.opener_id})"),
        ("Opened", _moment(ticket.created_at)),
    ]
    if ticket.category:
        facts.append(("Category", _plain(ticket.category)))
    if ticket.closed_at is not None:
        facts += [("Closed", _moment(ticket.closed_at)), ("Reason", _plain(ticket.close_reason))]
    return "<dl>\n" + "\n".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts) + "\n</dl>"


def _article(message: TicketMessage) -> str:
    role = (
        '<span class="role">Bot</span>'
        if message.is_bot
        else '<span class="role">Staff</span>'
        if message.is_staff
        else ""
    )
    edited = f'<span class="edited">edited {_moment(message.edited_at)}</span>' if message.edited_at else ""
    return (
        f'<article id="m{message.message_id}">\n<header><strong><bdi>{_plain(message.author_name)}</bdi></strong>{role}'
        f"{_moment(message.sent_at)}{edited}</header>\n"
        f'<div class="written" dir="auto">{written(message.content)}</div>{_attachments(message)}\n</article>'
    )


def written(content: str) -> str:
    rendered = _WRITTEN.render(visible(content))
    return nh3.clean(
        rendered,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer nofollow",
    )


def _attachments(message: TicketMessage) -> str:
    if not message.attachments:
        return ""
    return "<ul>" + "".join(f"<li>{_attachment(attachment)}</li>" for attachment in message.attachments) + "</ul>"


def _attachment(attachment: dict[str, object]) -> str:
    name, url = str(attachment.get("name") or "file"), str(attachment.get("url") or "")
    size = attachment.get("size")
    label = _plain(name) + (f" ({size:,} bytes)" if isinstance(size, int) else "")
    if not _is_web_address(url):
        return label
    return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{label}</a>'


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not STEERING.search(url)


def _moment(moment: datetime) -> str:
    return f'<time datetime="{moment.isoformat()}">{moment:%Y-%m-%d %H:%M} UTC</time>'
