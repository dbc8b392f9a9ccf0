"""Which of an agent's tools a model is shown: all of a few; of many, those it has searched for and those it has used.

Hundreds of definitions would fill the model's context. What servers say of their tools is theirs: it is searched and
shown as it stands, and nothing in it changes what is offered.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from agents_hub.chat.sources import CallContext, ChatTool, ToolOutcome
from llm.turns import ToolResult

# No other tool can have this name: remote ones have two `_` in a row, those of sources begin otherwise.
NAME = "search_tools"
MOST_FOUND = 8
LONGEST_SHOWN = 600
MOST_ORIGINS_NAMED = 30

WORDS = re.compile(r"[^\W_]+")
# Where a name written together is parted: `createContact`, `HTTPRequest`.
PARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Of a text no more is searched, in characters: a longer one describes nothing better.
LONGEST_SEARCHED = 2_000
NAME_WEIGHT, TITLE_WEIGHT, ORIGIN_WEIGHT, WORD_WEIGHT = 3.0, 3.0, 2.0, 1.0
# What a description says again and again counts less than a name: else a server could talk its way to the top.
MOST_OF_DESCRIPTION = 2.0
# Words of a question that say nothing of what is looked for.
PASSED_OVER = re.compile("an?|and|at|by|for|from|in|is|it|me|my|of|on|or|some|that|the|this|to|with")
# Words that only begin as a word of the question count for less than the word itself.
BEGINS_ALIKE = 0.4
SHORTEST_BEGINNING = 3
# BM25's constants, as Robertson and Zaragoza give them (2009): how soon a repeated word counts no more, how much length
# tells against a text.
SATURATION, LENGTH = 1.2, 0.75


class Selection:
    """An agent's tools in one turn; of those with one name the first is meant.

    `direct` is how many are offered at once; `known` are those that the conversation has found or used before, in that
    order, and whether it used them: they stay offered until others need their room.
    """

    def __init__(self, tools: Sequence[ChatTool], direct: int, known: Iterable[tuple[str, bool]] = ()) -> None:
        self._tools: dict[str, ChatTool] = {}
        for tool in tools:
            if tool.name != NAME:
                self._tools.setdefault(tool.name, tool)
        self._direct = direct
        # In the order in which they came, and whether they were used: what was only found makes room first.
        self._loaded: dict[str, bool] = {}
        for name, is_used in known:
            if name in self._tools:
                self._loaded[name] = self._loaded.pop(name, False) or is_used
        self._make_room()
        self.search_tool = self._searching() if len(self._tools) > direct else None

    def __len__(self) -> int:
        """How many tools there are, offered or not."""
        return len(self._tools)

    @property
    def offered(self) -> list[ChatTool]:
        """What the model is shown in the next round, in an order that does not change while it works."""
        if self.search_tool is None:
            return list(self._tools.values())
        return [self.search_tool, *(self._tools[name] for name in self._loaded)]

    def find(self, name: str) -> ChatTool | None:
        """The tool of that name, offered or not: whatever is called stays offered."""
        if self.search_tool is not None and name == NAME:
            return self.search_tool
        tool = self._tools.get(name)
        if tool is not None:
            self._loaded[name] = True
        return tool

    def search(self, query: str, most: int = MOST_FOUND) -> list[ChatTool]:
        """The tools that fit the words best, the best first; they are offered from now on."""
        best = self._index.best(query, most)
        now = {tool.name for tool in best}
        for tool in best:
            self._loaded.setdefault(tool.name, False)
        self._make_room(now)
        return best

    def _make_room(self, keep: Collection[str] = ()) -> None:
        """Where there are too many, let go of the first that were only found, then of the first that were used.

        They can be found again, and called without that.
        """
        let_go = sorted((name for name in self._loaded if name not in keep), key=self._loaded.__getitem__)
        for name in let_go[: max(len(self._loaded) - self._direct, 0)]:
            del self._loaded[name]

    @cached_property
    def _index(self) -> "Index":
        return Index(list(self._tools.values()))

    def _searching(self) -> ChatTool:
        return ChatTool(
            name=NAME,
            title="Search tools",
            description=(
                f"You have {len(self._tools):,} tools, too many to be shown at once. Search them by what you want to "
                "do; those found can be called from your next step on. Search again with other words if none fits. "
                f"They belong to: {_origins(self._tools.values())}."
            ),
            parameters={
                "type": "object",
                "properties": {
                    "query": {
                        "type": "string",
                        "maxLength": 500,
                        "description": "What to do, in a few words, such as: create contact.",
                    }
                },
                "required": ["query"],
                "additionalProperties": False,
            },
            origin="built-in",
            origin_name="Asterism",
            tool=NAME,
            perform=self._perform,
            repeatable=True,
        )

    async def _perform(self, arguments: Mapping[str, Any], context: CallContext) -> ToolOutcome:
        query = arguments.get("query")
        if not isinstance(query, str) or not query.strip():
            return ToolOutcome.said("Give a query: what you want to do, in a few words.", failed=True)
        found = self.search(query[:500])
        if not found:
            return ToolOutcome.said(f"None of the {len(self._tools):,} tools fits these words. Try others.")
        told = [
            {
                "name": tool.name,
                "title": tool.title,
                "of": tool.origin_name,
                "description": _clipped(tool.description),
            }
            for tool in found
        ]
        lines = [f"{one['name']} ({one['of']}): {one['description'] or one['title']}" for one in told]
        said = "\n\n".join(["You can call these from now on. Their servers describe them so:", *lines])
        return ToolOutcome(({"type": "text", "text": said},), {"tools": told})


def found_in(result: ToolResult) -> list[str]:
    """The names of the tools that a search gave, as its result is told to the model."""
    if result.name != NAME or result.failed or not isinstance(result.content, Mapping):
        return []
    return [str(tool.get("name")) for tool in result.content.get("tools", []) if isinstance(tool, Mapping)]


class Index:
    """Tools by the words in them, ranked as BM25 ranks texts, with names and titles counting for more."""

    def __init__(self, tools: Sequence[ChatTool]) -> None:
        self._tools = tools
        self._lengths: list[float] = []
        self._with: dict[str, list[tuple[int, float]]] = {}
        for number, tool in enumerate(tools):
            weights = _weights(tool)
            self._lengths.append(sum(weights.values()))
            for word, weight in weights.items():
                self._with.setdefault(word, []).append((number, weight))
        self._mean_length = sum(self._lengths) / len(tools) if tools else 1.0

    def best(self, query: str, most: int) -> list[ChatTool]:
        """Those that share words with the query, the best first."""
        scores: defaultdict[int, float] = defaultdict(float)
        for word in dict.fromkeys(word for word in _words(query) if not PASSED_OVER.fullmatch(word)):
            for number, score in self._scores(word).items():
                scores[number] += score
        return [self._tools[number] for number, _ in sorted(scores.items(), key=lambda one: (-one[1], one[0]))[:most]]

    def _scores(self, word: str) -> dict[int, float]:
        """What each tool gets for the word: once, for the best of those that it has."""
        scores: dict[int, float] = {}
        for written, share in self._alike(word):
            having = self._with[written]
            rarity = math.log(1 + (len(self._tools) - len(having) + 0.5) / (len(having) + 0.5))
            for number, weight in having:
                # A text as long as the mean counts as it is.
                length = 1 - LENGTH + LENGTH * self._lengths[number] / self._mean_length
                score = share * rarity * weight * (SATURATION + 1) / (weight + SATURATION * length)
                scores[number] = max(scores.get(number, 0.0), score)
        return scores

    def _alike(self, word: str) -> Iterator[tuple[str, float]]:
        if word in self._with:
            yield word, 1.0
        if len(word) >= SHORTEST_BEGINNING:
            for written in self._with:
                if written != word and _begin_alike(written, word):
                    yield written, BEGINS_ALIKE


def _begin_alike(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= SHORTEST_BEGINNING and longer.startswith(shorter)


def _weights(tool: ChatTool) -> dict[str, float]:
    weights: defaultdict[str, float] = defaultdict(float)
    for word, count in Counter(_words(tool.description)).items():
        weights[word] = min(count * WORD_WEIGHT, MOST_OF_DESCRIPTION)
    named: dict[str, float] = {}
    fields = ((tool.tool, NAME_WEIGHT), (tool.title, TITLE_WEIGHT), (tool.origin_name, ORIGIN_WEIGHT))
    for text, weight in fields:
        for word in _words(text):
            named[word] = max(named.get(word, 0.0), weight)
    for word, weight in named.items():
        weights[word] += weight
    return weights


def _words(text: str) -> list[str]:
    """Words in small letters, names written together parted; the plural's s is left off."""
    found = (word.lower() for word in WORDS.findall(PARTS.sub(" ", text[:LONGEST_SEARCHED])))
    return [word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in found]


def _origins(tools: Iterable[ChatTool]) -> str:
    counted = Counter(tool.origin_name[:60] for tool in tools)
    named = [f"{name} ({count})" for name, count in counted.most_common(MOST_ORIGINS_NAMED)]
    rest = len(counted) - len(named)
    return ", ".join(named) + (f" and {rest} more" if rest else "")


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
