"""What becomes of the names that are sent, and what files are found to be."""

import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import Invalid
from agents_hub.files import names, types

PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\notes.txt", "notes.txt"),
        ("in\u202evoice\u200b.txt", "invoice.txt"),
        ("a\x00b\r\n.csv", "ab.csv"),
        ("  two   words .md ", "two words .md"),
        ("Cafe\u0301.txt", "Caf\u00e9.txt"),
        (".env", ".env"),
    ],
)
def test_a_name_loses_its_folders_and_what_cannot_be_seen(sent: str, kept: str) -> None:
    assert names.clean(sent) == kept


@pytest.mark.parametrize("sent", ["", None, ".", "..", "folder/", "a/..", "\u202e\u200b", " . . "])
def test_a_name_of_nothing_is_refused(sent: str | None) -> None:
    with pytest.raises(Invalid, match="no name"):
        names.clean(sent)


def test_a_long_name_is_cut_to_what_a_disk_takes_and_keeps_its_extension() -> None:
    cut = names.clean("ä" * 300 + ".pdf")
    assert len(cut.encode()) <= 255
    assert cut.endswith("ä.pdf")


@given(st.text())
def test_no_name_leads_out_of_its_folder(sent: str) -> None:
    try:
        kept = names.clean(sent)
    except Invalid:
        return
    assert not set(kept) & set("/\\\x00")
    assert kept not in {".", ".."}
    assert 0 < len(kept.encode()) <= 255
    assert names.clean(kept) == kept


def _zip() -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("a", "b")
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        (PNG, "innocent.txt", "image/png"),
        (b"%PDF-1.7\n" + bytes(40), "page.html", "application/pdf"),
        (b"<html><script>alert(1)</script></html>", "photo.png", "text/html"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "photo.png", "image/svg+xml"),
        (b"a,b\n1,2\n", "table.csv", "text/csv"),
        (b"a,b\n1,2\n", "table.png", "text/plain"),
        ("Öl, 3 €".encode(), "notes", "text/plain"),
        (_zip(), "files.zip", "application/zip"),
        (_zip(), "files", "application/zip"),
        (bytes(range(256)), "image.png", "application/octet-stream"),
        (b"", "empty.bin", "text/plain"),
    ],
)
def test_the_content_says_what_a_file_is_whatever_its_name_claims(content: bytes, name: str, found: str) -> None:
    assert types.sniff(content, name) == found


def test_text_cut_in_the_middle_of_a_character_is_still_text() -> None:
    sample = ("x" + "€" * types.SAMPLE_BYTES).encode()[: types.SAMPLE_BYTES]
    assert types.sniff(sample, "long.txt") == "text/plain"
