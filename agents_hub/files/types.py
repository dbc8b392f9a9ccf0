"""What a file is, told from what it holds; what the sender says that it is counts for nothing."""

from pathlib import PurePath

import puremagic

UNKNOWN = "application/octet-stream"
# Enough for every signature that stands at a file's beginning.
SAMPLE_BYTES = 65_536
# Signatures of two or three bytes are met by chance; a name that agrees makes them count.
LEAST_CONFIDENCE = 0.3
ZIP = b"PK\x03\x04"
# With which UTF-16 begins.
BYTE_ORDERS = (b"\xff\xfe", b"\xfe\xff")
# One whose parts are not compressed consists of letters alone, and is a PDF all the same.
PDF = b"%PDF-"
# Text says little of itself: of the kinds of text, the name may choose.
TEXTS = {
    ".css": "text/css",
    ".csv": "text/csv",
    ".ics": "text/calendar",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".tsv": "text/tab-separated-values",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
MARKUP = {"text/html", "image/svg+xml"}


def sniff(sample: bytes, name: str) -> str:
    """The MIME type. The content says what it can be; the name only chooses among those."""
    extension = PurePath(name).suffix.lower()
    found = _signatures(sample)
    if sample.startswith(PDF):
        return "application/pdf"
    if _is_text(sample):
        markup: list[str] = [match.mime_type for match in found if match.mime_type in MARKUP]
        return markup[0] if markup else TEXTS.get(extension, "text/plain")
    agreeing: list[str] = [match.mime_type for match in found if match.extension == extension]
    if agreeing:
        return agreeing[0]
    if sample.startswith(ZIP):
        return "application/zip"
    sure: list[str] = [match.mime_type for match in found if match.confidence >= LEAST_CONFIDENCE]
    return sure[0] if sure else UNKNOWN


def _signatures(sample: bytes) -> list[puremagic.PureMagicWithConfidence]:
    if not sample:
        return []
    try:
        return [match for match in puremagic.magic_string(sample) if match.mime_type]
    except puremagic.PureError:
        return []


def is_text_of_another_encoding(sample: bytes) -> bool:
    """Whether it looks like text that some program wrote in its own way, such as a table saved on Windows."""
    return sample.startswith(BYTE_ORDERS) or not any(byte < 0x20 and byte not in b"\t\n\r\f\x1b" for byte in sample)


def _is_text(sample: bytes) -> bool:
    try:
        text = sample.decode()
    except UnicodeDecodeError as fault:
        # The sample may end in the middle of a character.
        if len(sample) < SAMPLE_BYTES or fault.start < len(sample) - 3:
            return False
        text = sample[: fault.start].decode()
    return not any(character < " " and character not in "\t\n\r\f\x1b" for character in text)
