"""What models and people write, as HTML in which nothing runs, loads or hides.

Three gates, as in transcripts: characters that steer or hide text are shown by name, Markdown is rendered with HTML
switched off, and what comes out is held to a list of harmless tags and attributes. Any beginning of a text can be
rendered, so that an answer can be shown while it is written.
"""

import re
from html import escape

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from agents_hub.chat import markdown_links, markdown_rules
from security.visible import visible

# Longer texts are shown without markup from here on: what is rendered is bounded, what is read is not.
MOST_CHARACTERS = 50_000
LONGEST_LABEL = 30

_CLASSES = {"code", "code-head", "button quiet small", "copy", "copied", "scroll", "end", "center", "image", "host"}
_CLASSES |= {"verbatim"}
_ATTRIBUTES = {
    "a": {"href", "title", "rel", "target", "class"},
    "button": {"type", "class", "aria-label", "data-copy-code"},
    "div": {"class", "tabindex", "role", "aria-label"},
    "ol": {"start"},
    "p": {"class"},
    "pre": {"tabindex", "role", "aria-label"},
    "span": {"class"},
    "td": {"class"},
    "th": {"class"},
}
_VALUES = {"rel": {markdown_links.REL}, "target": {"_blank"}, "type": {"button"}, "role": {"group"}, "tabindex": {"0"}}
_TAGS = {"a", "blockquote", "br", "button", "code", "div", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre"}
_TAGS |= {"s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"}
_NUMBER = re.compile(r"\d{1,9}")


def rendered(text: str) -> SafeString:
    """The HTML of `text`, to stand in an element of the class `chat-content`."""
    marked, rest = _parted(text)
    html = nh3.clean(
        _MARKDOWN.render(visible(marked)) + _verbatim(visible(rest)),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_harmless,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    # Safe because of the three gates above; the tests hold what comes out to the same list with another parser.
    return mark_safe(html)  # noqa: S308


def _parted(text: str) -> tuple[str, str]:
    """The text, and what of it is too much; parted at a line's end where there is one near."""
    if len(text) <= MOST_CHARACTERS:
        return text, ""
    end = text.rfind("\n", MOST_CHARACTERS - 2_000, MOST_CHARACTERS) + 1 or MOST_CHARACTERS
    return text[:end], text[end:]


def _verbatim(text: str) -> str:
    return f'<p class="verbatim">{escape(text)}</p>' if text else ""


def _harmless(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "class":
        return value if value in _CLASSES else None
    if attribute == "start":
        return value if _NUMBER.fullmatch(value) else None
    return value if value in _VALUES.get(attribute, {value}) else None


def _code(label: str, text: str) -> str:
    """A block of code as the component has it, with a button that copies the code beside it."""
    said = escape(label or "Code")
    return (
        f'<div class="code"><div class="code-head"><span>{said}</span>'
        f'<button type="button" class="button quiet small" data-copy-code="" aria-label="Copy {said}">'
        '<span class="copy">Copy</span><span class="copied">Copied</span></button></div>'
        f'<pre tabindex="0" role="group" aria-label="{said}"><code>{escape(text)}</code></pre></div>\n'
    )


def _fence(self: object, tokens: list[Token], index: int, options: object, env: object) -> str:
    words = tokens[index].info.split()
    return _code(words[0][:LONGEST_LABEL] if words else "", tokens[index].content.rstrip("\n"))


def _table_open(self: object, tokens: list[Token], index: int, options: object, env: object) -> str:
    # It scrolls by itself where it is wider than the page, which has to be reachable by keyboard.
    return '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>\n'


def _table_close(self: object, tokens: list[Token], index: int, options: object, env: object) -> str:
    return "</table></div>\n"


def _as_it_stands(self: object, tokens: list[Token], index: int, options: object, env: object) -> str:
    return _verbatim(tokens[index].content)


def _parser() -> MarkdownIt:
    """CommonMark with tables and struck text; without HTML, headings by underlining and links by reference.

    A line of dashes under a paragraph would make it a heading for the moment in which a list begins. References let a
    short text grow to any length.
    """
    options = {"html": False, "breaks": True, "linkify": False, "maxNesting": markdown_rules.DEEPEST}
    markdown = MarkdownIt("commonmark", options)
    markdown.enable(["table", "strikethrough"]).disable(["html_block", "html_inline", "lheading", "reference"])
    markdown_rules.add_to(markdown)
    markdown_links.add_to(markdown)
    rules = {
        "fence": _fence,
        "code_block": _fence,
        "table_open": _table_open,
        "table_close": _table_close,
        markdown_rules.VERBATIM: _as_it_stands,
    }
    for name, rule in rules.items():
        markdown.add_render_rule(name, rule)
    return markdown


_MARKDOWN = _parser()
