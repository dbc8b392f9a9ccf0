"""What of a file a model can read: its text, or that it is a picture. Everything else is refused with what is taken."""

from dataclasses import dataclass

from django.conf import settings
from django.core.files.base import File

from accounts.errors import Invalid
from agents_hub.files import names, pdf, pixels, types
from agents_hub.models.attachments import AttachmentKind

MIB = 1_048_576
# About 50,000 tokens.
MOST_CHARACTERS = 200_000
# What providers take, and what a picture unfolds to at most in memory.
LONGEST_SIDE = 8_000
MOST_PIXELS = 40_000_000
TAKEN = (
    "A message can carry text (such as notes, code, CSV, JSON or Markdown, in UTF-8), PDF, and PNG, JPEG, WebP or GIF "
    "images."
)
_UNREADABLE = {
    "encrypted": "is protected by a password. Save it without one and attach that.",
    "broken": "cannot be read as a PDF; it may be damaged. Open it and save it again, or attach its text.",
    "too_much": "takes too much memory or time to read. Split it, or attach its text.",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model gets of a file. `note` says, for people, what it does not get."""

    kind: AttachmentKind
    text: str = ""
    note: str = ""


def read(file: "File[bytes]") -> Reading:
    """Raises `Invalid` for what a model cannot be given."""
    name = names.clean(file.name)
    file.seek(0)
    sample = file.read(types.SAMPLE_BYTES)
    mime_type = types.sniff(sample, name)
    if not file.size:
        raise _refused(f"“{name}” is empty.")
    if mime_type == "application/pdf":
        return _pdf(name, _all_of(file, name, settings.ATTACHMENT_PDF_BYTES, "A PDF"))
    if mime_type in pixels.MIME_TYPES:
        return _image(name, mime_type, _all_of(file, name, settings.ATTACHMENT_IMAGE_BYTES, "An image"))
    if not _may_be_text(mime_type):
        what = f"is of the type {mime_type}"
        if mime_type == types.UNKNOWN and types.is_text_of_another_encoding(sample):
            what = "is not in UTF-8. Save it in UTF-8 and attach that"
        raise _refused(f"“{name}” {what}. {TAKEN}", code="unsupported_type")
    return _text(name, _all_of(file, name, settings.ATTACHMENT_TEXT_BYTES, "A text"))


def _may_be_text(mime_type: str) -> bool:
    return mime_type.startswith("text/") or mime_type in {*types.TEXTS.values(), *types.MARKUP}


def _all_of(file: "File[bytes]", name: str, most: int, what: str) -> bytes:
    if file.size > most:
        said = f"“{name}” is {file.size / MIB:.1f} MB. {what} may be at most {most // MIB} MB; attach part of it."
        raise _refused(said, code="too_large")
    file.seek(0)
    content: bytes = file.read()
    return content


def _text(name: str, content: bytes) -> Reading:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(f"“{name}” is not text in UTF-8. {TAKEN}", code="unsupported_type") from None
    if "\0" in text:
        raise _refused(f"“{name}” is not text. {TAKEN}", code="unsupported_type")
    if len(text) > MOST_CHARACTERS:
        note = f"Only the first {MOST_CHARACTERS:,} of {len(text):,} characters are read."
        return Reading(AttachmentKind.TEXT, text[:MOST_CHARACTERS], note)
    return Reading(AttachmentKind.TEXT, text)


def _image(name: str, mime_type: str, content: bytes) -> Reading:
    size = pixels.size_of(mime_type, content)
    if size is None or not all(size) or not pixels.is_whole(mime_type, content):
        raise _refused(f"“{name}” is damaged. Save it again and attach that.", code="broken")
    width, height = size
    if max(size) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise _refused(
            f"“{name}” is {width:,} by {height:,} pixels. An image may have at most {LONGEST_SIDE:,} per side and "
            f"{MOST_PIXELS // 1_000_000} million in all; make it smaller.",
            code="too_large",
        )
    return Reading(AttachmentKind.IMAGE)


def _pdf(name: str, content: bytes) -> Reading:
    try:
        found = pdf.text_of(content, most_characters=MOST_CHARACTERS)
    except pdf.PdfError as fault:
        raise _refused(f"“{name}” {_UNREADABLE[fault.reason]}", code=f"pdf_{fault.reason}") from None
    # What the database and providers take of it: no half characters and no NUL.
    text = found.text.replace("\0", "").encode(errors="ignore").decode().strip()
    if not text:
        raise _refused(
            f"“{name}” contains no text; it may be a scan. Attach its text, or images of its pages.",
            code="pdf_without_text",
        )
    note = ""
    if found.read < found.pages:
        note = f"Only the first {found.read:,} of {found.pages:,} pages are read."
    elif found.cut:
        note = f"Only the first {MOST_CHARACTERS:,} characters are read."
    return Reading(AttachmentKind.PDF, text, note)


def _refused(said: str, *, code: str = "") -> Invalid:
    return Invalid(said, code=code or None, data={"field": "files"})
