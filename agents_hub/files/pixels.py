"""How large a picture is, and whether all of it is there: nothing is decoded, so nothing can be made to unfold."""

import struct
from collections.abc import Callable

# JPEG: the segments that hold the size, of all ways to encode (ITU-T T.81, table B.1).
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# Those without a length.
_BARE = {0x01, *range(0xD0, 0xD9)}


def size_of(mime_type: str, content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels. None where the content is no such picture, or is broken off before its size."""
    reader = _READERS.get(mime_type)
    try:
        return reader(content) if reader else None
    except (struct.error, IndexError):
        return None


def _png(content: bytes) -> tuple[int, int] | None:
    if not content.startswith(b"\x89PNG\r\n\x1a\n") or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _gif(content: bytes) -> tuple[int, int] | None:
    if content[:6] not in {b"GIF87a", b"GIF89a"}:
        return None
    width, height = struct.unpack_from("<HH", content, 6)
    return width, height


def _jpeg(content: bytes) -> tuple[int, int] | None:
    if not content.startswith(b"\xff\xd8"):
        return None
    at = 2
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        else:
            at += 2 if marker in _BARE else 2 + struct.unpack_from(">H", content, at + 2)[0]
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    match content[12:16]:
        case b"VP8X":
            low_width, high_width, low_height, high_height = struct.unpack_from("<HBHB", content, 24)
            return 1 + (high_width << 16 | low_width), 1 + (high_height << 16 | low_height)
        case b"VP8L":
            bits = struct.unpack_from("<I", content, 21)[0]
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", content, 26)
            return width & 0x3FFF, height & 0x3FFF
    return None


def is_whole(mime_type: str, content: bytes) -> bool:
    """Whether it is a picture with a size that goes on to its end, and was not broken off on its way here."""
    try:
        return size_of(mime_type, content) is not None and _ENDS[mime_type](content)
    except (struct.error, IndexError):
        return False


def _png_ends(content: bytes) -> bool:
    at = 8
    while content[at + 4 : at + 8] != b"IEND":
        at += 12 + struct.unpack_from(">I", content, at)[0]
    return len(content) >= at + 12


def _gif_ends(content: bytes) -> bool:
    """Up to the end of its first frame: what shows GIFs does without the rest, and without the mark of the end."""
    at = 13 + _table(content[10])
    while content[at] == 0x21:  # an extension
        at = _after_blocks(content, at + 2)
    if content[at] != 0x2C:
        return False
    return _after_blocks(content, at + 11 + _table(content[at + 9])) <= len(content)


def _table(packed: int) -> int:
    """The bytes of a table of colours, by the field that says whether there is one."""
    return 3 << (packed & 7) + 1 if packed & 0x80 else 0


def _after_blocks(content: bytes, at: int) -> int:
    while length := content[at]:
        at += 1 + length
    return at + 1


def _jpeg_ends(content: bytes) -> bool:
    """What comes before the image may hold a smaller one, with an end of its own."""
    at = 2
    while (marker := content[at + 1]) != 0xDA:
        if marker == 0xFF:  # padding
            at += 1
        else:
            at += 2 if marker in _BARE else 2 + struct.unpack_from(">H", content, at + 2)[0]
    return content.find(b"\xff\xd9", at) > 0


def _webp_ends(content: bytes) -> bool:
    return len(content) >= 8 + int(struct.unpack_from("<I", content, 4)[0])


_READERS: dict[str, Callable[[bytes], tuple[int, int] | None]] = {
    "image/png": _png,
    "image/gif": _gif,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
}
_ENDS: dict[str, Callable[[bytes], bool]] = {
    "image/png": _png_ends,
    "image/gif": _gif_ends,
    "image/jpeg": _jpeg_ends,
    "image/webp": _webp_ends,
}
MIME_TYPES = frozenset(_READERS)
