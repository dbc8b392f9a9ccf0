"""Get the Chromium that the browser tests drive: the system's, else Debian's, else Playwright's own.

Run as a program. Always ends well: without a Chromium the browser tests are skipped and say so.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
APT_SECONDS = 300
PLAYWRIGHT_SECONDS = 300


def present() -> str | None:
    """The path of a Chromium that is there already."""
    if found := next((path for name in NAMES if (path := shutil.which(name))), None):
        return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return str(own) if own.exists() else None


def install() -> None:
    """Try what this machine offers."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
            _try(["apt-get", *arguments], APT_SECONDS, quiet)
    if present() is None:
        _try([sys.executable, "-m", "playwright", "install", "chromium"], PLAYWRIGHT_SECONDS, dict(os.environ))


def _try(command: list[str], seconds: int, environment: dict[str, str]) -> None:
    try:
        subprocess.run(command, timeout=seconds, env=environment, stdout=subprocess.DEVNULL, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{' '.join(command)}: {error}", file=sys.stderr)


if __name__ == "__main__":
    if present() is None:
        print("Getting Chromium for the browser tests.")
        install()
    if present() is None:
        print("No Chromium could be had: the browser tests will be skipped.", file=sys.stderr)
