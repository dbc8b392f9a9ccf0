"""Files made for tests: PDFs written by hand, and pictures as small as they come."""

import io
import struct
import zipfile
import zlib

PNG_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f00"
    "03860180ba3c5f050000000049454e44ae426082"
)


def pdf(*pages: str, stream: bytes | None = None, more: dict[int, bytes] | None = None, resources: str = "") -> bytes:
    """A PDF with a page for each text, or with one page of the content stream; `more` are further objects by number."""
    streams = [stream] if stream is not None else [f"BT /F1 12 Tf 72 720 Td ({page}) Tj ET".encode() for page in pages]
    kids = " ".join(f"{10 + 2 * number} 0 R" for number in range(len(streams)))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for number, content in enumerate(streams):
        page = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {11 + 2 * number} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> {resources} >> >>"
        )
        objects[10 + 2 * number] = page.encode()
        objects[11 + 2 * number] = of_stream("", content)
    return _assembled(objects | (more or {}))


def of_stream(entries: str, content: bytes) -> bytes:
    return f"<< {entries} /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream"


def inflating_pdf(size: int) -> bytes:
    """A page whose content unfolds, twice, to `size` bytes."""
    packer = zlib.compressobj(9)
    chunk, packed = b" " * 1_048_576, []
    for _ in range(size // len(chunk)):
        packed.append(packer.compress(chunk))
    twice = zlib.compress(b"".join([*packed, packer.flush()]), 9)
    return pdf(stream=b"").replace(of_stream("", b""), of_stream("/Filter [/FlateDecode /FlateDecode]", twice))


def laughing_pdf(levels: int = 12) -> bytes:
    """A page that shows a form ten times, which shows the next ten times, and so on."""
    forms = {}
    for level in range(levels):
        last = level == levels - 1
        content = b"BT /F1 12 Tf (ha) Tj ET" if last else b"/X Do\n" * 10
        inner = "/Font << /F1 3 0 R >>" if last else f"/XObject << /X {101 + level} 0 R >>"
        forms[100 + level] = of_stream(
            f"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << {inner} >>", content
        )
    return pdf(stream=b"/X Do\n" * 10, more=forms, resources="/XObject << /X 100 0 R >>")


def encrypted_pdf(password: str) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer, out = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf("Secret tides")))), io.BytesIO()
    writer.encrypt(user_password=password, owner_password="of the owner", algorithm="AES-256")
    writer.write(out)
    return out.getvalue()


def docx(size: int) -> bytes:
    """A document of an office program that unfolds to `size` bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b" " * size)
    return out.getvalue()


def png(width: int, height: int) -> bytes:
    return PNG_PIXEL[:16] + struct.pack(">II", width, height) + PNG_PIXEL[24:]


def gif(width: int, height: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\x01\x00\x00\x00\x00\xff\xff\xff"
    extension = b"!\xf9\x04\x00\x00\x00\x00\x00"
    return head + extension + b"," + struct.pack("<HHHH", 0, 0, 1, 1) + b"\x00\x02\x02L\x01\x00;"


def jpeg(width: int, height: int) -> bytes:
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    frame = b"\xff\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"
    # A small picture within, as cameras write it, and the scan of the large one.
    thumbnail = b"\xff\xe1\x00\x08\xff\xd8..\xff\xd9"
    return head + thumbnail + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x2a\xff\xd9"


def webp(kind: str, width: int, height: int) -> bytes:
    bodies = {
        "VP8X": b"\x10\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"),
        "VP8L": b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14),
        "VP8 ": b"\x30\x01\x00\x9d\x01\x2a" + struct.pack("<HH", width, height),
    }
    body = bodies[kind]
    chunk = kind.encode() + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def _assembled(objects: dict[int, bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.4\n"), {}
    for number, content in sorted(objects.items()):
        places[number] = len(out)
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        out += f"{number} 1\n{place:010} 00000 n \n".encode()
    out += f"trailer << /Size {max(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(out)
