"""The text of a PDF, read by a process of its own that is bounded in memory and time."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accounts.errors import Unavailable

MOST_PAGES = 300
MEMORY_BYTES = 768 * 1_048_576
SECONDS = 15
# Starting takes its time on a machine with much to do.
PATIENCE_SECONDS = 2 * SECONDS
AT_ONCE = 2

_PROGRAM = Path(__file__).with_name("pdf_program.py")
_places = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class PdfText:
    """The text of the first `read` of `pages` pages; `cut` where there was more in them than was asked for."""

    text: str
    pages: int
    read: int
    cut: bool


class PdfError(Exception):
    """`reason` is encrypted, broken, or too_much: it took more memory or time than there is for one file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def text_of(content: bytes, *, most_characters: int) -> PdfText:
    """Raises `PdfError`, and `Unavailable` where too many are being read already."""
    if not _places.acquire(timeout=PATIENCE_SECONDS):
        raise Unavailable(
            "Too many PDFs are being read just now. Try again in a minute.", code="busy", data={"retry_after": 60}
        )
    try:
        told = _run(content, most_characters)
    finally:
        _places.release()
    if "fault" in told:
        raise PdfError(told["fault"])
    return PdfText(told["text"], told["pages"], told["read"], told["cut"])


def _run(content: bytes, most_characters: int) -> dict[str, Any]:
    bounds = [MOST_PAGES, most_characters, MEMORY_BYTES, SECONDS]
    # Isolated: it gets none of our settings or secrets, and its own folder, which has a types.py, is not on its path.
    command = [sys.executable, "-I", str(_PROGRAM), *map(str, bounds)]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, with numbers of ours
            command, input=content, capture_output=True, env={}, cwd="/", timeout=PATIENCE_SECONDS, check=True
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return {"fault": "too_much"}
    told: dict[str, Any] = json.loads(done.stdout)
    return told
