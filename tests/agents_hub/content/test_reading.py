"""What of a file a model is given: text, the text of PDFs, pictures; everything else is refused in words that help."""

import os
import time

import pytest
from pytest_django import Settings

from accounts.errors import DomainError, Invalid
from agents_hub.files import pdf, pixels, reading
from agents_hub.files.reading import MOST_CHARACTERS, Reading
from agents_hub.models import AttachmentKind
from tests.agents_hub.content import samples
from tests.agents_hub.content.conftest import file


def read(content: bytes, name: str) -> Reading:
    return reading.read(file(content, name))


def refusal(content: bytes, name: str) -> DomainError:
    with pytest.raises(Invalid) as caught:
        read(content, name)
    assert name in caught.value.message
    assert caught.value.data == {"field": "files"}
    return caught.value


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes", "Tide: 3 m, später"),
        ("run.py", "print('hello')\n"),
        ("tides.csv", "hour,metres\n1,3\n"),
        ("tides.json", '{"a": 1}'),
        ("read.md", "# Tides"),
        ("page.html", "<!doctype html><html><script>alert(1)</script></html>"),
        ("picture.svg", '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        ("gif.js", "GIF89a=1;alert(1)"),
    ],
)
def test_text_of_any_type_is_read_as_text(name: str, content: str) -> None:
    assert read(content.encode(), name) == Reading(AttachmentKind.TEXT, content)


def test_the_mark_at_the_beginning_of_a_text_is_left_out() -> None:
    assert read(b"\xef\xbb\xbftides", "tides.txt").text == "tides"


def test_a_long_text_is_cut_with_a_note() -> None:
    found = read(b"ab" * MOST_CHARACTERS, "long.txt")
    assert len(found.text) == MOST_CHARACTERS
    assert found.note == "Only the first 200,000 of 400,000 characters are read."


@pytest.mark.parametrize("name", ["tides.pdf", "tides.txt"])
def test_a_pdf_is_read_page_by_page_whatever_it_is_called(name: str) -> None:
    assert read(samples.pdf("High at six.", "Low at noon."), name) == Reading(
        AttachmentKind.PDF, "High at six.\n\nLow at noon."
    )


def test_of_a_long_pdf_the_first_pages_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_PAGES", 2)
    found = read(samples.pdf("one", "two", "three"), "long.pdf")
    assert (found.text, found.note) == ("one\n\ntwo", "Only the first 2 of 3 pages are read.")


def test_a_pdf_without_text_is_refused_as_a_scan_is() -> None:
    assert refusal(samples.pdf(stream=b"0 0 m 9 9 l S"), "scan.pdf").code == "pdf_without_text"


def test_a_pdf_with_a_password_is_refused_and_one_that_only_bars_changes_is_read() -> None:
    assert refusal(samples.encrypted_pdf("tides"), "locked.pdf").code == "pdf_encrypted"
    assert read(samples.encrypted_pdf(""), "owned.pdf").text == "Secret tides"


@pytest.mark.parametrize("content", [b"%PDF-1.7\n\x00\xff garbage", b"%PDF-", samples.pdf("whole")[:200]])
def test_a_damaged_pdf_is_refused(content: bytes) -> None:
    assert refusal(content, "broken.pdf").code in {"pdf_broken", "pdf_without_text"}


def test_a_pdf_that_unfolds_ten_thousandfold_is_refused() -> None:
    content = samples.inflating_pdf(192 * 1_048_576)
    assert len(content) < 10_000
    assert refusal(content, "bomb.pdf").code in {"pdf_broken", "pdf_too_much"}


def test_reading_a_pdf_ends_when_its_memory_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MEMORY_BYTES", 24 * 1_048_576)
    assert refusal(samples.pdf("small"), "small.pdf").code == "pdf_too_much"


def test_reading_a_pdf_ends_when_its_time_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "SECONDS", 1)
    children = os.times()
    assert refusal(samples.laughing_pdf(), "laughing.pdf").code == "pdf_too_much"
    assert os.times().children_user - children.children_user < 5


def test_a_pdf_that_waits_for_ever_is_ended_by_the_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    program = pdf._PROGRAM.with_name("sleeper.py")
    monkeypatch.setattr(pdf, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(pdf, "_PROGRAM", f"{tmp_path}/{program.name}")
    with open(f"{tmp_path}/{program.name}", "w") as written:
        written.write("import time\ntime.sleep(60)\n")
    began = time.monotonic()
    assert refusal(samples.pdf("slow"), "slow.pdf").code == "pdf_too_much"
    assert time.monotonic() - began < 30


def test_what_reads_pdfs_knows_nothing_of_our_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("SECRET_KEY", "a lamp in the window")
    path = f"{tmp_path}/teller.py"
    monkeypatch.setattr(pdf, "_PROGRAM", path)
    with open(path, "w") as written:
        written.write(
            "import json, os, sys\n"
            "told = {'pages': 1, 'read': 1, 'cut': False, 'text': json.dumps([dict(os.environ), sys.path])}\n"
            "print(json.dumps(told))\n"
        )
    told = read(samples.pdf("x"), "x.pdf").text
    assert "a lamp in the window" not in told
    assert "agents_hub" not in told


PICTURES = {
    "image/png": samples.png(640, 480),
    "image/gif": samples.gif(640, 480),
    "image/jpeg": samples.jpeg(640, 480),
    "image/webp": samples.webp("VP8X", 640, 480),
}


@pytest.mark.parametrize("mime_type", PICTURES)
def test_pictures_are_known_by_what_they_hold(mime_type: str) -> None:
    content = PICTURES[mime_type]
    assert pixels.size_of(mime_type, content) == (640, 480)
    assert read(content, "called.txt") == Reading(AttachmentKind.IMAGE)


@pytest.mark.parametrize("kind", ["VP8X", "VP8L", "VP8 "])
def test_the_three_kinds_of_webp(kind: str) -> None:
    assert pixels.size_of("image/webp", samples.webp(kind, 640, 480)) == (640, 480)


@pytest.mark.parametrize("mime_type", PICTURES)
def test_no_beginning_of_a_picture_is_more_than_a_refusal(mime_type: str) -> None:
    for end in range(len(PICTURES[mime_type])):
        size = pixels.size_of(mime_type, PICTURES[mime_type][:end])
        assert size in {None, (640, 480)}


@pytest.mark.parametrize("mime_type", PICTURES)
def test_a_picture_that_was_broken_off_is_refused_wherever_it_ends(mime_type: str) -> None:
    content = PICTURES[mime_type]
    # Behind the first frame's data stands only the mark of a GIF's end, which is not missed.
    whole_from = len(content) - (1 if mime_type == "image/gif" else 0)
    for end in range(len(content)):
        assert pixels.is_whole(mime_type, content[:end]) == (end >= whole_from)
    assert refusal(content[: whole_from - 1], "picture").code in {"broken", "unsupported_type"}


@pytest.mark.parametrize("mime_type", PICTURES)
def test_what_programs_append_to_pictures_does_no_harm(mime_type: str) -> None:
    assert read(PICTURES[mime_type] + b"more of a phone's own", "x").kind == AttachmentKind.IMAGE


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "cp1252"])
def test_text_of_another_encoding_is_told_what_to_do(encoding: str) -> None:
    assert "is not in UTF-8. Save it in UTF-8" in refusal("Straße;später\n".encode(encoding), "table.csv").message


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (samples.png(50_000, 50_000), "too_large"),
        (samples.png(8_001, 1), "too_large"),
        (samples.png(7_000, 7_000), "too_large"),
        (samples.png(0, 5), "broken"),
        (samples.PNG_PIXEL[:20], "broken"),
    ],
)
def test_pictures_that_would_unfold_too_far_or_are_damaged_are_refused(content: bytes, code: str) -> None:
    assert refusal(content, "picture.png").code == code


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.docx", samples.docx(50 * 1_048_576)),
        ("picture.png", samples.docx(10)),
        ("text.txt", "Gezeiten für später".encode("utf-16")),
        ("text.txt", "später".encode("latin-1")),
        ("text.txt", b"a\0b"),
        ("program.txt", b"\x7fELF\x02\x01\x01" + b"\0" * 60),
        ("song.mp3", b"ID3\x04" + b"\0" * 60),
        ("late.txt", b"a" * 100_000 + b"\xff"),
    ],
    ids=["docx", "a zip called png", "utf-16", "latin-1", "nul", "elf", "mp3", "text that turns to bytes"],
)
def test_everything_else_is_refused_with_what_is_taken(name: str, content: bytes) -> None:
    fault = refusal(content, name)
    assert fault.code == "unsupported_type"
    assert "PDF, and PNG, JPEG, WebP or GIF" in fault.message


def test_an_empty_file_is_refused() -> None:
    assert "is empty" in refusal(b"", "nothing.txt").message


@pytest.mark.parametrize(
    ("setting", "name", "content"),
    [
        ("ATTACHMENT_TEXT_BYTES", "long.txt", b"a" * 500),
        ("ATTACHMENT_PDF_BYTES", "long.pdf", samples.pdf("a")),
        ("ATTACHMENT_IMAGE_BYTES", "long.png", PICTURES["image/png"] + b"\0" * 500),
    ],
)
def test_each_kind_has_its_largest_size(settings: Settings, setting: str, name: str, content: bytes) -> None:
    setattr(settings, setting, 100)
    assert refusal(content, name).code == "too_large"
