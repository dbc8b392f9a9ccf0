"""How much room text takes in a picture, which nobody measures where it is made: a little more than in a wide font."""

import unicodedata
from collections.abc import Iterator

# Widths of letters in parts of the font's size.
WIDE, NARROW = frozenset("MWmw@%—…"), frozenset(" .,:;'|!()[]{}/\\-ijltfrI")
ELLIPSIS = "…"


def width_of(letter: str) -> float:
    if unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0.0
    if unicodedata.category(letter) == "So":
        return 1.35
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    if letter in WIDE:
        return 1.08
    if letter in NARROW:
        return 0.45
    return 0.78 if letter.isupper() else 0.69


def fitting(text: str, room: float) -> str:
    """The text, as far as it fits into so many times the font's size."""
    if sum(map(width_of, text)) <= room:
        return text
    taken, left = "", room - width_of(ELLIPSIS)
    for letter in text:
        left -= width_of(letter)
        if left < 0:
            break
        taken += letter
    return taken + ELLIPSIS


def wrapped(text: str, room: float) -> list[str]:
    """The text in lines that fit, broken between words, and within those that are longer than a line."""
    lines: list[str] = []
    line, left = "", room
    for word in _pieces(text, room):
        width = sum(map(width_of, word))
        if line and width + width_of(" ") > left:
            lines.append(line)
            line, left = "", room
        line = f"{line} {word}" if line else word
        left -= width + width_of(" ")
    return [*lines, line]


def _pieces(text: str, room: float) -> Iterator[str]:
    """Words, those that are longer than a line in parts."""
    for word in text.split():
        piece, left = "", room
        for letter in word:
            left -= width_of(letter)
            if left < 0 and piece:
                yield piece
                piece, left = "", room - width_of(letter)
            piece += letter
        yield piece
