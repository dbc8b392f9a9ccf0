"""Chats as HTML: marked up as meant, harmless whatever was written, at any moment of its writing."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_hub.chat.markdown import MOST_CHARACTERS, rendered
from agents_hub.chat.markdown_rules import DEEPEST

ALLOWED = {
    "a": {"href", "title", "rel", "target", "class"},
    "button": {"type", "class", "aria-label", "data-copy-code"},
    "div": {"class", "tabindex", "role", "aria-label"},
    "ol": {"start"},
    "p": {"class"},
    "pre": {"tabindex", "role", "aria-label"},
    "span": {"class"},
    "td": {"class"},
    "th": {"class"},
}
PLAIN = {"blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "s", "strong"}
PLAIN |= {"table", "tbody", "thead", "tr", "ul"}


class Page(HTMLParser):
    """What a browser would see of it: the elements, and the words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.odd: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_comment(self, data: str) -> None:
        self.odd.append(data)

    def handle_decl(self, decl: str) -> None:
        self.odd.append(decl)

    def handle_pi(self, data: str) -> None:
        self.odd.append(data)

    def links(self) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == "a"]


def assert_harmless(html: str) -> Page:
    page = Page(html)
    assert not page.odd
    for tag, attributes in page.elements:
        assert tag in PLAIN or set(attributes) <= ALLOWED[tag], (tag, attributes)
        assert tag not in PLAIN or not attributes, (tag, attributes)
    for link in page.links():
        # One without an address leads nowhere: the last gate took it.
        assert re.match(r"https?://|mailto:", str(link.get("href", "https://")))
        assert link["rel"] == "noopener noreferrer nofollow"
        assert link["target"] == "_blank"
        assert link["title"]
    return page


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href=javascript:alert(1)>x</a>",
    "<style>*{display:none}</style>",
    "<!-- --><!DOCTYPE html><?php echo 1 ?><![CDATA[x]]>",
    '<math><mtext></table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    "<form action=https://evil.example><input name=q><button>Sign in</button></form>",
    "<base href=https://evil.example><meta http-equiv=refresh content='0;url=//evil.example'>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&Tab;javascript&colon;alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/dashboard/agents/)",
    "[x](https:evil.example)",
    "[x](https:\\\\evil.example)",
    "[x](https://bank.example@evil.example/)",
    "[x](https://bank.example\\@evil.example/)",
    "[x](https://[::1)",
    "https://a.example\\ and https://a.example%2f@evil.example",
    "[x]() ![x]() [![x]()]()",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "[x]: javascript:alert(1)\n\n[x]",
    '[x](https://a.example "onmouseover=alert(1) x=\\"")',
    '[x](https://a.example/"onmouseover="alert(1))',
    'https://a.example/"onmouseover="alert(1)',
    "https://a.example/'><script>alert(1)</script>",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    '![x" onerror="alert(1)](https://a.example/x.png)',
    "![<script>alert(1)</script>](https://a.example/x.png)",
    "[![x](https://a.example/x.png)](https://b.example)",
    '```"><script>alert(1)</script>\ncode\n```',
    '```x" onclick="alert(1)\n</code></pre><script>alert(1)</script>\n```',
    "    </code></pre><script>alert(1)</script>",
    "`</code><script>alert(1)</script>`",
    "$$\n<script>alert(1)</script>\n$$",
    "\\(<img src=x onerror=alert(1)>\\)",
    "> " * 40 + "<script>alert(1)</script>",
    "|<script>alert(1)</script>|\n|-|\n|<img src=x onerror=alert(1)>|",
    "|a|\n|:-:|\n|b|",
    "x" * MOST_CHARACTERS + "<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
]


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_nothing_that_runs_loads_or_hides_comes_through(attack: str) -> None:
    assert_harmless(rendered(attack))


MARKUP = st.sampled_from(
    [*"\n\n `*_~[]()!<>|:-#$\\&\"'=1.ab", "```", "https://a.example", "javascript:", "<script>", "onclick=", "data:",
     "](", "![", "&#x", "\t", "    ", "> ", "- ", "\\(", "\\]", "$$", "\u202e", "\x00", "style=", "mailto:a@b.c"]
)  # fmt: skip


@given(st.lists(MARKUP, max_size=60).map("".join) | st.text(max_size=200))
def test_whatever_is_written_stays_harmless(text: str) -> None:
    assert_harmless(rendered(text))


@given(st.text("ab \n>-*1.", max_size=80).map(lambda text: re.sub(r"(?m)^[ >*-]+", lambda m: m[0] * 9, text)))
def test_no_word_is_lost_for_being_nested_deep(text: str) -> None:
    assert sorted(re.sub(r"[^ab]", "", Page(rendered(text)).words)) == sorted(re.sub(r"[^ab]", "", text))


def test_what_is_nested_too_deep_is_read_as_it_was_written() -> None:
    page = assert_harmless(rendered("> " * (DEEPEST + 10) + "hidden?\n> and below"))
    assert "> > hidden?" in page.words


def test_a_link_says_where_it_leads_and_tells_nobody_where_from() -> None:
    (link,) = assert_harmless(rendered("[our page](https://docs.example/a?b=1&c=2)")).links()
    assert (link["href"], link["title"]) == ("https://docs.example/a?b=1&c=2", "Opens docs.example")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[https://bank.example/login](https://evil.example)", "https://bank.example/login (evil.example)"),
        ("[www.bank.example](https://evil.example)", "www.bank.example (evil.example)"),
        ("[**bank.example**](https://evil.example)", "bank.example (evil.example)"),
        ("[bank.example](https://bank.example/a)", "bank.example"),
        ("[our bank](https://bank.example/a)", "our bank"),
        ("[see https://bank.example now](https://evil.example)", "see https://bank.example now (evil.example)"),
        ("[bank.example, or evil.example](https://evil.example)", "bank.example, or evil.example (evil.example)"),
        ("[bank\u3002example](https://evil.example)", "bank\u3002example (evil.example)"),
        ("[Go to bank.example.](https://bank.example/a)", "Go to bank.example."),
    ],
)
def test_words_that_name_another_host_have_the_real_one_beside_them(text: str, words: str) -> None:
    assert assert_harmless(rendered(text)).words.strip() == words


def test_a_host_of_look_alike_letters_is_shown_in_its_true_spelling() -> None:
    (link,) = assert_harmless(rendered("[sign in](https://\u0430pple.example)")).links()
    assert link["title"] == "Opens xn--pple-43d.example"


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("See https://a.example/b.", "https://a.example/b"),
        ("(https://a.example/b_(c))", "https://a.example/b_(c)"),
        ("**https://a.example**", "https://a.example"),
        ("<https://a.example>", "https://a.example"),
        ("<me@a.example>", "mailto:me@a.example"),
    ],
)
def test_bare_addresses_are_links(text: str, href: str) -> None:
    assert [link["href"] for link in assert_harmless(rendered(text)).links()] == [href]


@pytest.mark.parametrize("text", ["[x](/dashboard)", "[x](ftp://a.example)", "[x](javascript:alert(1))"])
def test_what_is_no_link_stays_as_it_was_written(text: str) -> None:
    assert assert_harmless(rendered(text)).words.strip() == text


def test_an_image_is_a_link_that_names_its_host_and_loads_nothing() -> None:
    page = assert_harmless(rendered("![A *chart*](https://pictures.example/c.png?secret=1)"))
    assert page.words.strip() == "Show image from pictures.example: A chart"
    assert page.links()[0]["href"] == "https://pictures.example/c.png?secret=1"
    assert "img" not in [tag for tag, _ in page.elements]


def test_code_has_its_language_and_a_button_that_copies_it() -> None:
    html = rendered("```python title\nif a < b:\n\tpass\n```")
    assert "<code>if a &lt; b:\n\tpass</code>" in html
    assert '<span>python</span><button type="button"' in html
    assert 'data-copy-code="" aria-label="Copy python"' in html
    assert " id=" not in html


def test_tables_lists_and_struck_words() -> None:
    html = rendered("|a||\n|-:|-|\n|1|~~2~~|\n\n3. x\n4. y")
    assert '<th class="end">a</th>\n<td></td>' in html
    assert '<td class="end">1</td>\n<td><s>2</s></td>' in html
    assert '<ol start="3">' in html


@pytest.mark.parametrize(
    "formula",
    [
        "$a*b*c$",
        "$x_1 _y_$",
        "$$a*b\n*c*$$",
        r"\(a*b*c\)",
        r"\[ \frac{a}{b} \]",
        "$$\na\n=\n- b\n$$",
        "\\[\n# x\n\\]",
        "\\[\n\\begin{x}\n1. y\n\\end{x}\n\\]",
    ],
)
def test_formulas_stay_as_they_were_written(formula: str) -> None:
    page = assert_harmless(rendered(f"Before\n\n{formula}\n\nafter"))
    assert formula in page.words
    assert {tag for tag, _ in page.elements} <= {"p", "br"}


def test_prices_are_no_formulas() -> None:
    assert "<em>maybe</em>" in rendered("It costs $5 or *maybe* $6.")


def test_headings_follow_each_other_without_gaps() -> None:
    assert re.findall(r"<h(\d)>", rendered("### a\n# b\n###### c\n## d\n# e")) == ["3", "3", "4", "4", "3"]


@pytest.mark.parametrize(
    ("half", "whole"),
    [
        ("Look:\n\n```py\nx = [1", "<code>x = [1</code>"),
        ("|a|b|\n|-|-|\n|1", "<td>1</td>"),
        ("Here is a list:\n-", "<p>Here is a list:<br>\n-</p>"),
        ("> a\n> ```\n> b", "<code>b</code>"),
        ("- a\n  - b", "<li>b</li>"),
        ("see [the page](https://a.exam", "see [the page]("),
        ("$$\na =", "$$<br>\na ="),
    ],
)
def test_what_is_half_written_is_shown_as_far_as_it_goes(half: str, whole: str) -> None:
    html = rendered(half)
    assert_harmless(html)
    assert whole in html


def test_every_beginning_of_an_answer_can_be_shown() -> None:
    answer = "# Title\n\nA [link](https://a.example) and `code`:\n\n```js\nlet a = '<b>';\n```\n\n"
    answer += "|a|b|\n|-|-|\n|1|2|\n\n$$\nx\n$$"
    for end in range(len(answer)):
        assert_harmless(rendered(answer[:end]))


def test_letters_that_turn_the_text_round_are_named() -> None:
    assert "[U+202E]" in rendered("`\u202egnp.exe`")


def test_a_long_text_is_read_to_its_end() -> None:
    page = assert_harmless(rendered("*word* \n" * (MOST_CHARACTERS // 8 + 1_000) + "*the end*"))
    assert page.words.endswith("*the end*")
    assert page.words.startswith("word")


# Of 100 KB each: the slowest of some sixty that were tried. Each took a second or two where they were written.
HOSTILE = {
    "lazy lines in quotes": "> " * 18 + "a\n" + "b\n" * 50_000,
    "images in images": "![" * 50_000,
    "brackets": "[" * 50_000 + "]" * 50_000,
    "open formulas": "$$a\n" * 25_000,
    "backticks": "`a``b```" * 12_500,
    "stars": "*" * 50_000 + "a" + "*" * 50_000,
    "a table of too many cells": "|a" * 300 + "\n" + "|-" * 300 + "|\n" + "x\n" * 49_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_takes_seconds_at_most(text: str) -> None:
    began = time.process_time()
    html = rendered(text)
    assert time.process_time() - began < 10
    assert len(html) < 20 * len(text)
