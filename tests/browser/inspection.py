"""What every page has to pass, each check a function that returns what is wrong in words."""

import gzip
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from playwright.sync_api import Page, Response

# After a run of all rules in the same document: those that read colours, in the other scheme; or at another size all
# but those, with the colours of what is drawn otherwise than before.
Rules = Literal["all", "colours", "rest"]
SCRIPTS_AT_MOST = 60 * 1024
# Enough to go round any page of ours once, and bounded where one is longer.
TAB_STOPS_TRIED = 40
# Between two looks whether the page was gone round.
TAB_STOPS_AT_ONCE = 8

# Each stop says at once how it looks: asked for one by one, every stop would be a way to the browser and back.
WATCH_FOCUS = """() => {
  window.stops = [];
  if (window.watchesFocus) return;
  window.watchesFocus = true;
  document.addEventListener("focusin", ({ target: element }) => {
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    const around = element.closest(".jump-search") ?? element;
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const mark = element.tagName === "g" && getComputedStyle(element.querySelector(".hit")).strokeWidth !== "1px";
    window.stops.push({ name: element.outerHTML.slice(0, 90), href: element.getAttribute("href"),
                        seen: ring || mark || getComputedStyle(around).boxShadow !== "none",
                        drawn: box.width > 0 && box.height > 0 });
  });
}"""
GONE_ROUND = """() => document.activeElement === document.body
  || window.stops.some(({ href }) => href === "#content")"""

OUTLINE = """() => ({ title: document.title, h1: document.querySelectorAll("h1").length,
  main: document.querySelectorAll("main").length, heading: document.querySelector("h1")?.innerText.trim(),
  inline: document.querySelectorAll("script:not([src]), style, [style], [onclick]").length,
  scripts: [...document.scripts].map((script) => script.src) })"""

# What a page says, and how many of each it has.
CONTENT = ["h1", "main th", "main td", "main dd", "main li", "main label", "main a:not([hidden])"]
SHOWN = """(selectors) => selectors.map((selector) => (
  [...document.querySelectorAll(selector)].map((element) => element.innerText.trim())))"""

# What stands around the content, and what the same letters of it make: hidden inputs carry what nobody perceives.
SURROUNDINGS = """() => {
  const copy = document.body.cloneNode(true);
  copy.querySelectorAll("main, input[type=hidden]").forEach((element) => element.remove());
  return copy.outerHTML;
}"""
# The rules whose answer another colour scheme can change.
COLOURS = ["color-contrast", "link-in-text-block"]
# Asked for all, it notes what is drawn and how; asked for the rest, it looks at the colours of what is drawn otherwise.
AXE = """async ({ rules, colours, within }) => {
  if (!window.axe) return null;
  const outside = [], main = document.querySelector("main");
  for (let at = within && main; at && at !== document.body; at = at.parentElement) {
    outside.push(...[...at.parentElement.children].filter((beside) => beside !== at));
  }
  const colour = (one) => {
    const { color, backgroundColor, opacity, fontSize, fontWeight } = getComputedStyle(one);
    return [color, backgroundColor, opacity, fontSize, fontWeight].join(" ");
  };
  const found = [], about = outside.length ? { exclude: outside } : document;
  const look = async (context, options) => found.push(
    ...(await axe.run(context, { resultTypes: ["violations"], ...options })).violations);
  const seen = [...(within && main || document.body).querySelectorAll("*")].filter((one) => one.checkVisibility());
  if (rules === "all") {
    window.drawn = new Map(seen.map((one) => [one, colour(one)]));
    await look(about, {});
  } else if (rules === "colours") {
    await look(about, { runOnly: colours });
  } else {
    await look(about, { rules: Object.fromEntries(colours.map((rule) => [rule, { enabled: false }])) });
    const fresh = new Set(seen.filter((one) => window.drawn?.get(one) !== colour(one)));
    const outermost = [...fresh].filter((one) => !fresh.has(one.parentElement));
    if (outermost.length) await look({ include: outermost }, { runOnly: colours });
  }
  return found.map(({ id, help, nodes }) => (
    { id, help, places: nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ") }));
}"""


def policy(response: Response) -> Iterator[str]:
    header = response.headers.get("content-security-policy", "")
    if "default-src 'none'" not in header:
        yield "its content security policy does not begin from nothing"
    if "unsafe" in header or "*" in header:
        yield f"its content security policy lets too much through: {header}"


def outline(page: Page) -> Iterator[str]:
    """One title, one main heading, one main landmark."""
    found = page.evaluate(OUTLINE)
    if not found["title"].endswith(" · Asterism"):
        yield f"its title is {found['title']!r}"
    for selector in ("h1", "main"):
        if found[selector] != 1:
            yield f"it has {found[selector]} {selector}"
    if not found["heading"]:
        yield "its heading is empty"


def surroundings(page: Page) -> str:
    """What stands around its content: where this is the same, so are its faults."""
    return str(page.evaluate(SURROUNDINGS))


def accessibility(
    page: Page, axe: str, scheme: Literal["light", "dark"], rules: Rules = "all", *, content_alone: bool = False
) -> Iterator[str]:
    """What axe-core finds in this colour scheme and at this size."""
    page.emulate_media(color_scheme=scheme)
    asked = {"rules": rules, "colours": COLOURS, "within": content_alone}
    found = page.evaluate(AXE, asked)
    if found is None:
        page.evaluate(f"() => {{ {axe} }}")
        found = page.evaluate(AXE, asked)
    for violation in found:
        yield f"{scheme}: {violation['id']}: {violation['help']} ({violation['places']})"


def width(page: Page) -> Iterator[str]:
    """No scrolling to the side, as wide as the window is now."""
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if over > 0:
        yield f"it scrolls {over} px to the side at {page.evaluate('innerWidth')} px"


def keyboard(page: Page, *, content_alone: bool = False) -> Iterator[str]:
    """The first stop skips to the content, and every stop there can be seen, as can those around it."""
    page.evaluate(WATCH_FOCUS)
    page.evaluate("document.activeElement?.blur()")
    page.keyboard.press("Tab")
    stops, content = page.evaluate("[window.stops, document.querySelectorAll('#content').length]")
    first = stops[0]["href"] if stops else None
    if first != "#content" or not content:
        yield f"its first tab stop is no way past the navigation: {first}"
    if not content_alone:
        yield from _unseen(stops)
        yield from _unseen(_walked(page))
        page.evaluate("document.querySelector('[href=\"#content\"]')?.focus()")
    page.keyboard.press("Enter")
    yield from _unseen(_walked(page))


def _walked(page: Page) -> list[dict[str, object]]:
    """The stops that Tab, held down, leads to from here on, until it has gone round."""
    page.evaluate("window.stops = []")
    for _ in range(TAB_STOPS_TRIED // TAB_STOPS_AT_ONCE):
        for _ in range(TAB_STOPS_AT_ONCE):
            page.keyboard.down("Tab")
        if page.evaluate(GONE_ROUND):
            break
    page.keyboard.up("Tab")
    return list(page.evaluate("window.stops"))


def _unseen(stops: list[dict[str, object]]) -> Iterator[str]:
    for stop in stops:
        if not (stop["seen"] and stop["drawn"]):
            yield f"focus cannot be seen on {stop['name']}"


def scripts(page: Page) -> Iterator[str]:
    """Scripts come from here, none is inline, and together they are small."""
    found = page.evaluate(OUTLINE)
    if found["inline"]:
        yield "it has inline script or style"
    ours = urljoin(page.url, str(settings.STATIC_URL))
    if not all(source.startswith(ours) for source in filter(None, found["scripts"])):
        yield f"it has scripts that are not ours: {found['scripts']}"
    total = sum(_weight(source.removeprefix(ours)) for source in found["scripts"] if source.startswith(ours))
    if total > SCRIPTS_AT_MOST:
        yield f"its scripts weigh {total} bytes"


@cache
def _weight(path: str) -> int:
    """How many bytes of one of our scripts go over the line."""
    found = finders.find(path)
    assert found, path
    return len(gzip.compress(Path(str(found)).read_bytes()))


def the_same_without_scripts(page: Page, plain: Page) -> Iterator[str]:
    """What `page` shows with scripts, `plain` shows without them."""
    shown, bare = page.evaluate(SHOWN, CONTENT), plain.evaluate(SHOWN, CONTENT)
    for selector, with_scripts, without in zip(CONTENT, shown, bare, strict=True):
        if len(with_scripts) != len(without) or (any(with_scripts) and not any(without)):
            yield f"{selector}: {len(without)} without scripts, {len(with_scripts)} with"


def links(page: Page) -> Iterator[str]:
    """The addresses here that it leads to, but for those of Django's administration."""
    here = urlsplit(page.url)
    for href in page.evaluate("[...document.querySelectorAll('a[href]')].map((link) => link.href)"):
        there = urlsplit(href)
        if there[:2] == here[:2] and "/admin/" not in there.path:
            yield f"{there.path}?{there.query}" if there.query else there.path
