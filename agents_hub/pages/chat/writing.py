"""Text while it is being written: what of it will not change any more, so that it can be rendered."""

FENCES = ("```", "~~~")


def parted(text: str) -> int:
    """Where the whole blocks end: after the last blank line, or the end of code, outside of code."""
    end = position = 0
    fence = ""
    for line in text.splitlines(keepends=True):
        position += len(line)
        words = line.strip()
        if fence:
            if words.startswith(fence) and line.endswith("\n"):
                fence, end = "", position
        elif words.startswith(FENCES):
            fence = words[:3]
        elif not words and line.endswith("\n"):
            end = position
    return end
