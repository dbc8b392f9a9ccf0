"""Names of files as people send them, made fit to be shown, stored and written to a disk."""

import re
import unicodedata

from accounts.errors import Invalid

# What file systems take: 255 bytes, not characters.
LONGEST_BYTES = 255
SEPARATORS = re.compile(r"[/\\]")
# Control, format (which holds what turns the direction of writing), surrogate, private use; line and paragraph breaks.
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def clean(name: str | None) -> str:
    """The name without folders and without what cannot be seen. Raises `Invalid` where nothing is left of it."""
    last = SEPARATORS.split(unicodedata.normalize("NFC", name or ""))[-1]
    seen = "".join(character for character in last if unicodedata.category(character) not in UNSEEN)
    cleaned = " ".join(seen.split())
    if not cleaned.strip(". "):
        raise Invalid("A file has no name. Give each one a name such as report.pdf.", data={"field": "name"})
    return _shortened(cleaned)


def _shortened(name: str) -> str:
    """At most as long as a disk takes it, with its extension kept."""
    if len(name.encode()) <= LONGEST_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = dot + extension if stem and len(extension.encode()) <= 20 else ""
    kept = (stem if ending else name).encode()[: LONGEST_BYTES - len(ending.encode())]
    return kept.decode(errors="ignore").rstrip() + ending
