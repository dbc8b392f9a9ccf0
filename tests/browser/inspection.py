"""What every page has to pass, each check a function that returns what is wrong in words."""

import gzip
from collections.abc import Iterator
from typing import Literal

from playwright.sync_api import Page, Response

SCRIPTS_AT_MOST = 60 * 1024
# Enough to go round any page of ours once, and bounded where one is longer.
TAB_STOPS_TRIED = 40

FOCUS = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  const around = element.closest(".jump-search") ?? element;
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const mark = element.tagName === "g" && getComputedStyle(element.querySelector(".hit")).strokeWidth !== "1px";
  return { name: element.outerHTML.slice(0, 90), seen: ring || mark || getComputedStyle(around).boxShadow !== "none",
           drawn: box.width > 0 && box.height > 0 };
}"""


def policy(response: Response) -> Iterator[str]:
    header = response.headers.get("content-security-policy", "")
    if "default-src 'none'" not in header:
        yield "its content security policy does not begin from nothing"
    if "unsafe" in header or "*" in header:
        yield f"its content security policy lets too much through: {header}"


def outline(page: Page) -> Iterator[str]:
    """One title, one main heading, one main landmark."""
    if not page.title().endswith(" · Asterism"):
        yield f"its title is {page.title()!r}"
    for selector in ("h1", "main"):
        if page.locator(selector).count() != 1:
            yield f"it has {page.locator(selector).count()} {selector}"
    if not page.locator("h1").first.inner_text().strip():
        yield "its heading is empty"


def accessibility(page: Page, axe: str, scheme: Literal["light", "dark"]) -> Iterator[str]:
    """What axe-core finds in this colour scheme and at this size."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(f"() => {{ if (!window.axe) {{ {axe} }} }}")
    found = page.evaluate("() => axe.run({ resultTypes: ['violations'] })")
    for violation in found["violations"]:
        places = "; ".join(f"{' '.join(node['target'])}" for node in violation["nodes"][:3])
        yield f"{scheme}: {violation['id']}: {violation['help']} ({places})"


def width(page: Page) -> Iterator[str]:
    """No scrolling to the side at 360 px."""
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if over > 0:
        yield f"it scrolls {over} px to the side at 360 px"


def keyboard(page: Page) -> Iterator[str]:
    """The first stop skips to the content, and every stop can be seen."""
    page.evaluate("document.activeElement?.blur()")
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.getAttribute('href')")
    if first != "#content" or not page.locator("#content").count():
        yield f"its first tab stop is no way past the navigation: {first}"
    for _ in range(TAB_STOPS_TRIED):
        focus = page.evaluate(FOCUS)
        if focus is None:
            return
        if not (focus["seen"] and focus["drawn"]):
            yield f"focus cannot be seen on {focus['name']}"
        page.keyboard.press("Tab")


def scripts(page: Page) -> Iterator[str]:
    """Scripts come from here, none is inline, and together they are small."""
    if page.locator("script:not([src]), style, [style], [onclick]").count():
        yield "it has inline script or style"
    sources = page.evaluate("[...document.scripts].map((script) => script.src)")
    total = sum(len(gzip.compress(page.request.get(source).body())) for source in sources)
    if total > SCRIPTS_AT_MOST:
        yield f"its scripts weigh {total} bytes"
