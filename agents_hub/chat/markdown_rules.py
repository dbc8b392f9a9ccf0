"""Rules of our own for Markdown in chats: formulas stay text, nothing is lost for being nested too deeply, headings
stand in an order without gaps, and cells are aligned without inline style."""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

# Quotes and lists within each other. The parser drops what stands deeper; here it becomes text before that.
DEEPEST = 20
# A list takes two levels at once.
_LEVELS_LEFT = 4
# The type of a token whose content is shown as it stands.
VERBATIM = "verbatim"
# The page and the message have the first two.
_FIRST_HEADING, _LAST_HEADING = 3, 6
_LONGEST_BLOCK_LINES = 200

# Within one line or paragraph. Each part stops where another formula could begin, so that no text is read twice.
_FORMULA = re.compile(
    r"\$\$[^$]{1,2000}\$\$"
    r"|\$(?![\s$])[^$\n`]{1,500}(?<![\s\\])\$(?!\d)"
    r"|\\\((?:[^\\]|\\(?![()\[\]])){1,2000}\\\)"
    r"|\\\[(?:[^\\]|\\(?![()\[\]])){1,2000}\\\]"
)
_CLOSES = {"$$": "$$", "\\[": "\\]"}
_ALIGNED = {"text-align:right": "end", "text-align:center": "center"}


def add_to(markdown: MarkdownIt) -> None:
    ends = ["paragraph", "blockquote", "list"]
    markdown.block.ruler.before("table", "too_deep", _too_deep)
    markdown.block.ruler.before("fence", "formula_block", _formula_block, {"alt": ends})
    markdown.inline.ruler.before("escape", "formula", _formula)
    markdown.core.ruler.push("heading_order", _order_headings)
    markdown.core.ruler.push("cells", _mend_cells)


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """What stands so deep that the parser would drop the next level: all of it as text."""
    if silent or state.level < DEEPEST - _LEVELS_LEFT:
        return False
    _push_verbatim(state, start, end)
    return True


def _formula_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""Lines from $$ to $$, or from \[ to \]. One that is not closed yet is a paragraph."""
    closes = _CLOSES.get(_line(state, start)[:2])
    if closes is None or state.is_code_block(start):
        return False
    for line in range(start, min(end, start + _LONGEST_BLOCK_LINES)):
        text = _line(state, line)
        if line > start and (state.sCount[line] < state.blkIndent or text.startswith("\\[")):
            return False
        if text.rstrip().endswith(closes) and (line > start or len(text.strip()) > 4):
            if not silent:
                _push_verbatim(state, start, line + 1)
            return True
    return False


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _push_verbatim(state: StateBlock, start: int, end: int) -> None:
    token = state.push(VERBATIM, "", 0)
    token.content = state.getLines(start, end, state.blkIndent, False).rstrip("\n")
    token.map = [start, end]
    state.line = end


def _formula(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    found = _FORMULA.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.pending += found[0]
    state.pos = found.end()
    return True


def _order_headings(state: StateCore) -> None:
    """Each heading one step below the one it belongs to, whatever number it was given."""
    above: list[int] = []
    openings: list[Token] = []
    for token in state.tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
            while above and above[-1] >= level:
                above.pop()
            above.append(level)
            token.tag = f"h{min(_FIRST_HEADING + len(above) - 1, _LAST_HEADING)}"
            openings.append(token)
        elif token.type == "heading_close":
            token.tag = openings[-1].tag


def _mend_cells(state: StateCore) -> None:
    """Alignment by a class, for inline style is forbidden; and a head with nothing in it heads nothing."""
    for opening, inline, closing in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if opening.type not in {"th_open", "td_open"}:
            continue
        aligned = _ALIGNED.get(str(opening.attrs.pop("style", "")))
        if aligned:
            opening.attrSet("class", aligned)
        if opening.tag == "th" and not inline.content.strip():
            opening.tag = closing.tag = "td"
