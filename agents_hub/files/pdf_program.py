"""Reads a PDF from standard input and writes its text to standard output, as JSON. A process of its own.

What strangers send can take any memory and time to unfold: this process may use so much and no more, and the platform
goes on whatever becomes of it. Arguments: the most pages, characters, bytes of memory, and seconds.
"""

import io
import json
import resource
import sys
import time
from contextlib import suppress
from typing import Any


def main() -> None:
    pages, characters, memory, seconds = map(int, sys.argv[1:])
    # Not every system bounds memory so; the time then bounds it alone.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What is told has to be told before the time is over.
    until = time.monotonic() + seconds * 0.8
    try:
        told = _read(sys.stdin.buffer.read(), pages, characters, until)
    except MemoryError:
        told = {"fault": "too_much"}
    except Exception:  # whatever the library trips over in the bytes of strangers, the file cannot be read
        told = {"fault": "broken"}
    sys.stdout.buffer.write(json.dumps(told).encode())


def _read(content: bytes, most_pages: int, most_characters: int, until: float) -> dict[str, Any]:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(content))
    # Many are encrypted without a password, so that they can be read and not changed.
    if reader.is_encrypted and not reader.decrypt(""):
        return {"fault": "encrypted"}
    pages = len(reader.pages)
    texts: list[str] = []
    length = read = unreadable = 0
    while read < min(pages, most_pages) and length < most_characters and time.monotonic() < until:
        try:
            text = reader.pages[read].extract_text()
        except MemoryError:
            raise
        except Exception:  # as above; the other pages may be whole
            text, unreadable = "", unreadable + 1
        texts.append(text)
        length += len(text)
        read += 1
    if pages and unreadable == read:
        return {"fault": "broken"}
    return {"pages": pages, "read": read, "text": "\n\n".join(texts)[:most_characters], "cut": length > most_characters}


if __name__ == "__main__":
    main()
