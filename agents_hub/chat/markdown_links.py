"""Links in chats: to the web and to mailboxes only, each saying where it leads. An image is a link to it, for the page
of a chat loads nothing from elsewhere."""

import re
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

REL = "noopener noreferrer nofollow"
LONGEST = 2_000
_ADDRESS = re.compile(r"https?://[^\s<>\"]+")
# What stands after an address in a sentence rather than in the address.
_AFTER = ".,;:!?'*_~)]}"
# A name in its ASCII spelling or an address, and a port; whatever else, programs may read in different ways.
_HOST = re.compile(r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_HOST_SAID = re.compile(r"(?:[\w-]+\.)+[\w-]{2,}")
# Browsers take these for the dot between the parts of a name.
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")


def add_to(markdown: MarkdownIt) -> None:
    # What is no link by this stays as it was written.
    markdown.validateLink = lambda url: bool(destination(url))  # type: ignore[method-assign]
    markdown.core.ruler.push("destinations", _mark_destinations)


def destination(url: str) -> str:
    """The host or the mailbox that the address leads to; nothing where it is none that is linked to.

    Addresses with a user's name in front of the host are none: they are written to look like another host's.
    """
    if len(url) > LONGEST:
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme == "mailto" and "@" in parts.path:
        return parts.path
    if parts.scheme in {"http", "https"} and host and _HOST.fullmatch(parts.netloc.lower()):
        return host
    return ""


def _mark_destinations(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline" and token.children:
            token.children = _marked(state.md, token.children)


def _marked(markdown: MarkdownIt, children: list[Token]) -> list[Token]:
    marked: list[Token] = []
    link: Token | None = None
    label: list[str] = []
    for child in children:
        match child.type:
            case "link_open":
                link, label = child, []
                if _lead(child):
                    marked.append(child)
            case "link_close":
                if link and link.attrGet("href"):
                    marked += [*_host_beside(link, "".join(label)), child]
                link = None
            case "image":
                marked += _image(child, linked=link is not None)
            case "text" if link is None:
                marked += _addresses(markdown, child.content)
            case _:
                label.append(child.content)
                marked.append(child)
    return marked


def _lead(link: Token) -> bool:
    """Have the link say where it leads. False where that is nowhere, as of [this]()."""
    leads_to = destination(str(link.attrGet("href")))
    says = f"Writes to {leads_to}" if str(link.attrGet("href")).startswith("mailto:") else f"Opens {leads_to}"
    link.attrs = {"href": str(link.attrGet("href")), "title": says, "rel": REL, "target": "_blank"}
    return bool(leads_to)


def _host_beside(link: Token, label: str) -> list[Token]:
    """The host, where the link's words name another one anywhere: nobody is to take that for where it leads."""
    href = str(link.attrGet("href"))
    said = {host.lower() for host in _HOST_SAID.findall(label.translate(_DOTS))}
    if href.startswith("mailto:") or said <= {destination(href)}:
        return []
    return [
        Token("span_open", "span", 1, attrs={"class": "host"}),
        Token("text", "", 0, content=f" ({destination(href)})"),
        Token("span_close", "span", -1),
    ]


def _image(image: Token, *, linked: bool) -> list[Token]:
    said = "".join(child.content for child in image.children or []).strip()
    url = str(image.attrGet("src"))
    if linked or not destination(url):  # a link within a link is none
        return [Token("text", "", 0, content=f"Image: {said}" if said else "Image")]
    text = f"Show image from {destination(url)}" + (f": {said}" if said else "")
    return _link(url, text, {"class": "image"})


def _addresses(markdown: MarkdownIt, text: str) -> list[Token]:
    """The text with the addresses in it as links."""
    pieces: list[Token] = []
    at = 0
    for found in _ADDRESS.finditer(text):
        said = _trimmed(found[0])
        url = markdown.normalizeLink(said)
        if destination(url):
            pieces += [Token("text", "", 0, content=text[at : found.start()]), *_link(url, said, {})]
            at = found.start() + len(said)
    return [*pieces, Token("text", "", 0, content=text[at:])]


def _trimmed(address: str) -> str:
    """Without what ends the sentence; a closing bracket stays where the address has its opening one."""
    balance = address.count("(") - address.count(")")
    end = len(address)
    while end and address[end - 1] in _AFTER:
        if address[end - 1] == ")":
            if balance >= 0:
                break
            balance += 1
        end -= 1
    return address[:end]


def _link(url: str, text: str, attributes: dict[str, str | int | float]) -> list[Token]:
    opening = Token("link_open", "a", 1, attrs={"href": url})
    _lead(opening)
    opening.attrs |= attributes
    return [opening, Token("text", "", 0, content=text), Token("link_close", "a", -1)]
