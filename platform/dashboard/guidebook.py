"""The repository's docs/*.md as pages: which there are, in what order, and each one rendered."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from markdown_it import MarkdownIt
from markdown_it.token import Token

LINK = re.compile(
    r"^(?:\./)?(?:docs/)?(?P<folder>adr/|pictures/|\.\./)?"
    r"(?P<name>[\w-]+)\.(?P<ending>md|png|svg)(?P<rest>#.*)?$"
)
# The page of a picture that was taken of a page in light colours.
PICTURE = re.compile(r"/docs/pictures/(?P<name>[\w-]+)-light\.png")


@dataclass(frozen=True, slots=True)
class Heading:
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading, without the markup; the first, before any heading, has neither of the two."""

    anchor: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Guide:
    title: str
    html: SafeString
    headings: tuple[Heading, ...]
    links_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Contents:
    guides: tuple[Entry, ...]
    decisions: tuple[Entry, ...]


def folder() -> Path:
    return Path(settings.ROOT) / "docs"


def guide(slug: str) -> Guide | None:
    return _read(folder() / f"{slug}.md")


def decision(slug: str) -> Guide | None:
    return _read(folder() / "adr" / f"{slug}.md")


def contents() -> Contents:
    """The guides in the order in which the index links to them, those it does not mention after; then the decisions."""
    index = guide("index")
    mentioned = index.links_to if index else ()
    slugs = sorted(path.stem for path in folder().glob("*.md") if path.stem != "index")
    slugs.sort(key=lambda slug: mentioned.index(slug) if slug in mentioned else len(mentioned))
    guides = [Entry(_title(guide(slug), slug), reverse("dashboard:guide", args=[slug])) for slug in slugs]
    decisions = [
        Entry(_title(decision(path.stem), path.stem), reverse("dashboard:decision", args=[path.stem]))
        for path in sorted((folder() / "adr").glob("[0-9]*.md"))
    ]
    return Contents(tuple(guides), tuple(decisions))


def _title(found: Guide | None, slug: str) -> str:
    return found.title if found else slug


def _read(path: Path) -> Guide | None:
    try:
        return _render(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=256)
def _render(path: Path, changed: int) -> Guide:
    """The page of a file; `changed` makes an edited file another entry of the cache."""
    return render(path.read_text("utf-8"))


def render(text: str) -> Guide:
    """Markdown without raw HTML: its first heading is the title, later ones get anchors, links stay within /docs.

    A picture named `…-light` that has a `…-dark` beside it is shown in the colours that the reader's machine has.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    title, tokens = _take_title(tokens)
    headings = _anchor_headings(tokens)
    _empty_corners(tokens)
    links_to = tuple(_relink(token) for token in _inline(tokens) if token.type in {"link_open", "image"})
    markdown.add_render_rule("fence", _fence)
    markdown.add_render_rule("code_block", _fence)
    markdown.add_render_rule("image", _image)
    html = markdown.renderer.render(tokens, markdown.options, {})
    # Safe because the parser escapes everything: raw HTML is off, and it refuses javascript: and data: addresses.
    return Guide(title, mark_safe(html), headings, tuple(slug for slug in links_to if slug))  # noqa: S308


def sections(text: str) -> tuple[str, list[Section]]:
    """The title of a guide and its text by heading, each heading with the anchor that its page has."""
    title, tokens = _take_title(MarkdownIt("commonmark", {"html": False}).enable("table").parse(text))
    _anchor_headings(tokens)
    found: list[tuple[str, str, list[str]]] = [("", "", [])]
    for before, token in pairwise([Token("", "", 0), *tokens]):
        if before.type == "heading_open":
            found.append((str(before.attrGet("id")), token.content.replace("`", ""), []))
        elif token.type in {"inline", "fence", "code_block"}:
            found[-1][2].append(token.content.strip())
    return title, [Section(anchor, heading, "\n".join(said)) for anchor, heading, said in found if said or heading]


def _take_title(tokens: list[Token]) -> tuple[str, list[Token]]:
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return tokens[1].content.replace("`", ""), tokens[3:]
    return "Untitled", tokens


def _anchor_headings(tokens: list[Token]) -> tuple[Heading, ...]:
    headings: list[Heading] = []
    taken: set[str] = set()
    for token, inline in pairwise(tokens):
        if token.type != "heading_open":
            continue
        if token.tag == "h1":  # a page has one title; a second one in the file is a section of it
            token.tag = "h2"
        text = inline.content.replace("`", "")
        anchor = base = slugify(text) or "section"
        while anchor in taken:
            anchor = f"{base}-{len(taken)}"
        taken.add(anchor)
        token.attrSet("id", anchor)
        inline.children = [*(inline.children or []), *_anchor_link(anchor, text)]
        if token.tag == "h2":
            headings.append(Heading(anchor, text))
    for opening, closing in zip(tokens, tokens[2:], strict=False):
        if opening.type == "heading_open" and closing.type == "heading_close":
            closing.tag = opening.tag
    return tuple(headings)


def _empty_corners(tokens: list[Token]) -> None:
    """A head cell with nothing in it, such as a table's corner, heads nothing: make it an ordinary cell."""
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type == "th_open" and not inline.content.strip():
            opening.tag = closing.tag = "td"


def _anchor_link(anchor: str, text: str) -> list[Token]:
    attrs: dict[str, str | int | float] = {"href": f"#{anchor}", "class": "anchor", "aria-label": f"Link to “{text}”"}
    return [
        Token("link_open", "a", 1, attrs=attrs),
        Token("text", "", 0, content="#"),
        Token("link_close", "a", -1),
    ]


def _inline(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or []]


def _relink(token: Token) -> str:
    """Point a link between files at its page; returns the slug of the guide it leads to, if it is one."""
    attribute = "src" if token.type == "image" else "href"
    match = LINK.match(str(token.attrGet(attribute) or ""))
    if not match:
        return ""
    where, name, rest = match["folder"] or "", match["name"], match["rest"] or ""
    if match["ending"] != "md":
        token.attrSet(attribute, reverse("dashboard:picture", args=[name, match["ending"]]))
        return ""
    view = "decision" if where == "adr/" or re.match(r"\d{4}-", name) else "guide"
    token.attrSet(attribute, reverse(f"dashboard:{view}", args=[name]) + rest)
    return name if view == "guide" else ""


def _fence(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    caption = token.info.split()[0] if token.info else "Example"
    context = {"text": token.content.rstrip("\n"), "caption": caption, "block_id": f"example-{index}", "folded": False}
    return render_to_string("dashboard/components/code.html", context)


def _image(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    image = self.image(tokens, index, options, env)
    shown = PICTURE.fullmatch(str(tokens[index].attrGet("src")))
    if shown is None or not (folder() / "pictures" / f"{shown['name']}-dark.png").is_file():
        return str(image)
    dark = reverse("dashboard:picture", args=[f"{shown['name']}-dark", "png"])
    return f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">{image}</picture>'
