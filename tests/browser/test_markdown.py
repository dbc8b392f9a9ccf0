"""What is written in chats, in a real browser: nothing runs or loads, it fits, and code is copied as it is."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from agents_hub.chat.markdown import rendered
from tests.browser import inspection
from tests.browser.conftest import sign_in
from tests.factories import MembershipFactory

CODE = "def tides(at):\n\treturn  at < 6\n\n\n# the end"
WRITTEN = f"""# Tides

Some **bold** and `code`, a [page](https://docs.example/a), and [https://bank.example](https://evil.example).

```python
{CODE}
```

|Hour|Height|Where|
|---|--:|---|
|six|{"3" * 40}|{"a_very_long_word" * 6}|

- one
  - two

> quoted {"without_a_break_" * 20}

![Chart](http://127.0.0.1:9/chart.png)
<img src=http://127.0.0.1:9/x.png onerror="window.ran = 1"> [x](javascript:window.ran=1)

$$
{"x + " * 60}
$$
"""
INSERT = """(html) => {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = "/static/agents_hub/markdown.css";
  const content = document.createElement("div");
  content.className = "chat-content";
  content.innerHTML = html;
  document.querySelector("main").append(content);
  return new Promise((loaded) => { link.onload = loaded; document.head.append(link); });
}"""


@pytest.fixture
def written(page: Page, live_server: Any, transactional_db: None) -> Page:
    """A page of ours with something written in it."""
    sign_in(page.context, MembershipFactory().user, live_server.url)
    page.goto(f"{live_server.url}/dashboard/")
    page.evaluate(INSERT, rendered(WRITTEN))
    return page


def test_code_is_copied_as_it_was_written(written: Page, live_server: Any) -> None:
    written.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    written.clock.install()
    written.clock.pause_at("2100-01-01")  # the label stands for as long as the test looks
    written.get_by_role("button", name="Copy python").click()
    expect(written.get_by_role("button", name="Copied")).to_be_visible()
    assert written.evaluate("navigator.clipboard.readText()") == CODE


def test_nothing_runs_or_loads_and_links_open_elsewhere(written: Page) -> None:
    asked: list[str] = []
    written.on("request", lambda request: asked.append(request.url))
    written.evaluate(INSERT, rendered(WRITTEN))
    assert written.evaluate("window.ran") is None
    assert not [url for url in asked if ":9/" in url]
    assert written.locator(".chat-content img").count() == 0
    image = written.get_by_role("link", name="Show image from 127.0.0.1: Chart").first
    expect(image).to_have_attribute("target", "_blank")


def test_it_is_accessible_and_fits_a_phone(written: Page, axe: str) -> None:
    assert list(inspection.accessibility(written, axe, "light")) == []
    assert list(inspection.accessibility(written, axe, "dark")) == []
    written.set_viewport_size({"width": 360, "height": 740})
    assert list(inspection.width(written)) == []


def test_without_scripts_there_is_no_button_that_does_nothing() -> None:
    sheet = Path(__file__).parents[2] / "agents_hub/static/agents_hub/markdown.css"
    assert "@media (scripting: none) { .chat-content [data-copy-code] { display: none; } }" in sheet.read_text()
