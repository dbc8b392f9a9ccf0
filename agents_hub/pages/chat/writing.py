"""Text while it is being written: the blocks of it that are complete, so that each is rendered and sent once.

The same text comes to the same blocks, however it was cut into pieces on its way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from security.visible import visible

FENCES = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class Writing:
    """A text up to some moment, but for the blocks that were taken off its beginning.

    A block ends after a blank line, or the end of code, outside of code; and only where the line after it begins at the
    margin, for what is set in belongs to the block before. `seen` is how far whole lines were looked at, `end` where
    the block ends if the next line lets it.
    """

    text: str = ""
    seen: int = 0
    end: int = 0
    fence: str = ""

    def and_then(self, added: str) -> tuple[list[str], "Writing"]:
        """The blocks that are complete with what is added, and what is left."""
        writing, blocks = replace(self, text=self.text + added), []
        for line in writing._new_lines():
            if writing.end and line[0] not in "\r\n":
                # What is set in goes on with the block.
                if line[0] not in " \t":
                    blocks.append(writing.text[: writing.end])
                    writing = writing._without_first(writing.end)
                writing = replace(writing, end=0)
            if not line.endswith("\n"):
                break
            writing = writing._after(line)
        return blocks, writing

    @property
    def tail(self) -> str:
        """What is not complete, as it is shown."""
        return visible(self.text.removesuffix("\r"))

    def words(self, added: str) -> str:
        """What is added to this as it is shown. Half a line's end waits for the other half."""
        held = "\r" if self.text.endswith("\r") else ""
        return visible((held + added).removesuffix("\r"))

    def _new_lines(self) -> Iterator[str]:
        """Lines from where they were seen on; the last one may have no end yet."""
        text, begin = self.text, self.seen
        while begin < len(text):
            end = text.find("\n", begin) + 1 or len(text)
            yield text[begin:end]
            begin = end

    def _after(self, line: str) -> "Writing":
        """With one more whole line looked at."""
        seen, words = self.seen + len(line), line.strip()
        if self.fence:
            is_closed = words.startswith(self.fence)
            return replace(self, seen=seen, fence="" if is_closed else self.fence, end=seen if is_closed else 0)
        if words.startswith(FENCES):
            return replace(self, seen=seen, fence=words[:3], end=0)
        return replace(self, seen=seen, end=seen if not words else 0)

    def _without_first(self, length: int) -> "Writing":
        return replace(self, text=self.text[length:], seen=self.seen - length, end=0)


def parted(text: str) -> tuple[list[str], Writing]:
    """The whole blocks of a text, and what of it is still being written."""
    return Writing().and_then(text)
