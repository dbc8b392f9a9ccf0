"""Sticky notes in the picture of a graph: their colour, their lines, and where those without a place go."""

import colorsys
import re
from collections.abc import Sequence
from dataclasses import dataclass

from workflows.graph.shapes import StickyNote
from workflows.pages.lettering import fitting, wrapped

WIDTH, LINE_HEIGHT, PADDING, GAP = 184, 18, 10, 24
# What fits on one line of a note, in sizes of its font; and lines shown, the rest being in the list below the picture.
# Letters that are not bold are narrower by a tenth than what `lettering` says.
LINE, MOST_LINES = (WIDTH - 2 * PADDING) / (13 * 0.9), 8
# Notes in a row below the boxes, where they have no place of their own.
IN_A_ROW = 4
# Further out than this is a slip.
FURTHEST = 20_000.0

# Each is a colour of the page's own, so that the text can be read on it, by day and by night.
HUES = ("red", "yellow", "green", "blue", "purple")
NAMES = {
    **{hue: hue for hue in HUES},
    "orange": "yellow", "amber": "yellow", "gold": "yellow", "lime": "green", "teal": "green", "cyan": "blue",
    "pink": "red", "rose": "red", "violet": "purple", "indigo": "purple", "magenta": "purple",
    "gray": "grey", "grey": "grey", "white": "grey", "black": "grey", "silver": "grey",
}  # fmt: skip
PLAIN = "yellow"
HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})([0-9a-f]{2})?")
# Where on the circle of hues, in degrees, one of ours ends and the next begins.
BOUNDS = ((20, "red"), (70, "yellow"), (170, "green"), (250, "blue"), (310, "purple"), (361, "red"))
# Less colour than this looks grey.
GREYISH = 0.12

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Note:
    x: int
    y: int
    lines: Sequence[str]
    content: str
    hue: str
    width: int = WIDTH

    @property
    def height(self) -> int:
        return len(self.lines) * LINE_HEIGHT + 2 * PADDING

    @property
    def rows(self) -> list[tuple[int, int, str]]:
        """Each line with the point at which it begins."""
        first = self.y + PADDING + 13
        return [(self.x + PADDING, first + number * LINE_HEIGHT, line) for number, line in enumerate(self.lines)]


def place_of(note: StickyNote) -> Place | None:
    """Where the canvas has it; none where it says nothing, or somewhere far out."""
    at = note.position
    if at is None or abs(at.x) > FURTHEST or abs(at.y) > FURTHEST:
        return None
    return round(at.x), round(at.y)


def drawn(note: StickyNote, place: Place) -> Note:
    return Note(*place, lines_of(note.content), note.content, hue_of(note.color))


def in_rows(notes: Sequence[StickyNote], left: int, top: int) -> list[Note]:
    """Notes without a place, beside and below one another from that corner on."""
    made: list[Note] = []
    for begin in range(0, len(notes), IN_A_ROW):
        row = [
            drawn(note, (left + number * (WIDTH + GAP), top))
            for number, note in enumerate(notes[begin : begin + IN_A_ROW])
        ]
        made += row
        top += max(note.height for note in row) + GAP
    return made


def lines_of(content: str) -> list[str]:
    """The content's lines, wrapped; what is beyond the last that is shown is hinted at by an ellipsis."""
    lines = [line for written in content.strip().splitlines() for line in wrapped(written, LINE)]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], fitting(f"{lines[MOST_LINES - 1]} {lines[MOST_LINES]}", LINE)]
    return lines or [""]


def hue_of(color: str | None) -> str:
    """The colour of ours that comes nearest to what a note asks for, by its name or by #rgb and #rrggbb."""
    asked = (color or "").strip().lower()
    match = HEX.fullmatch(asked)
    if match is None:
        return NAMES.get(asked, PLAIN)
    digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    if max(red, green, blue) - min(red, green, blue) < GREYISH:
        return "grey"
    degrees = colorsys.rgb_to_hsv(red, green, blue)[0] * 360
    return next(hue for end, hue in BOUNDS if degrees < end)
