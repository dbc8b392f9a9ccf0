"""Guides: Markdown files as pages."""

import re
from pathlib import Path

import pytest
from django.test import Client

from dashboard import guidebook


def test_the_first_heading_is_the_title_and_the_others_get_anchors() -> None:
    page = guidebook.render("# The `title`\n\n## One thing\n\n### Part\n\n## One thing\n")
    assert page.title == "The title"
    assert "<h1" not in page.html
    assert [heading.anchor for heading in page.headings] == ["one-thing", "one-thing-2"]
    assert 'id="one-thing-2"' in page.html


def test_a_second_main_heading_becomes_a_section() -> None:
    page = guidebook.render("# Title\n\n# Another\n")
    assert "<h1" not in page.html
    assert "<h2" in page.html
    assert "</h2>" in page.html


@pytest.mark.parametrize(
    ("link", "leads_to"),
    [
        ("operations.md", "/docs/operations"),
        ("./operations.md#backup", "/docs/operations#backup"),
        ("docs/operations.md", "/docs/operations"),
        ("adr/0001-platform-is-a-source-root.md", "/docs/adr/0001-platform-is-a-source-root"),
        ("0002-dependencies.md", "/docs/adr/0002-dependencies"),
        ("../operations.md", "/docs/operations"),
        ("https://example.com/a.md", "https://example.com/a.md"),
        ("#below", "#below"),
    ],
)
def test_links_between_files_lead_to_their_pages(link: str, leads_to: str) -> None:
    assert f'href="{leads_to}"' in guidebook.render(f"[text]({link})").html


def test_the_empty_corner_of_a_table_heads_nothing() -> None:
    html = guidebook.render("# T\n\n| | a |\n|---|---|\n| b | c |\n").html
    assert html.count("<th>") == html.count("</th>") == 1
    assert html.count("<td>") == html.count("</td>") == 3


def test_pictures_are_served_from_the_docs() -> None:
    assert 'src="/docs/pictures/home.png"' in guidebook.render("![Home](pictures/home.png)").html


def test_pictures_in_both_colours_are_shown_in_the_readers() -> None:
    dark = '<source media="(prefers-color-scheme: dark)" srcset="/docs/pictures/home-dark.png">'
    html = guidebook.render("![Home](pictures/home-light.png)").html
    assert f'{dark}<img src="/docs/pictures/home-light.png" alt="Home"' in html
    assert dark.replace("home", "x") not in guidebook.render("![None](pictures/x-light.png)").html


def test_every_picture_of_a_guide_is_there() -> None:
    guides = "".join(path.read_text() for path in guidebook.folder().glob("*.md"))
    named = set(re.findall(r"\]\(pictures/([\w-]+\.png)\)", guides))
    assert named
    for name in named:
        assert (guidebook.folder() / "pictures" / name).is_file(), name


def test_what_is_written_in_a_guide_runs_nothing() -> None:
    html = guidebook.render(
        "# T\n<script>alert(1)</script>\n\n[x](javascript:alert(1))\n\n```html\n<img src=x onerror=alert(1)>\n```\n"
    ).html
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "<img" not in html


def test_an_edited_file_shows_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidebook, "folder", lambda: tmp_path)
    file = tmp_path / "guide.md"
    file.write_text("# Before")
    assert (found := guidebook.guide("guide"))
    assert found.title == "Before"
    file.write_text("# After it was edited")
    assert (found := guidebook.guide("guide"))
    assert found.title == "After it was edited"
    assert guidebook.guide("another") is None


def test_guides_stand_in_the_order_in_which_the_index_links_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guidebook, "folder", lambda: tmp_path)
    for name in ("alpha", "beta", "gamma"):
        (tmp_path / f"{name}.md").write_text(f"# {name.title()}")
    (tmp_path / "index.md").write_text("# Docs\n\n[First](gamma.md), then [this](alpha.md).")
    assert [entry.title for entry in guidebook.contents().guides] == ["Gamma", "Alpha", "Beta"]


@pytest.mark.django_db
def test_every_guide_and_decision_of_ours_is_a_page_that_anyone_can_read(client: Client) -> None:
    entries = guidebook.contents()
    assert entries.decisions
    for entry in (*entries.guides, *entries.decisions):
        answer = client.get(entry.url)
        assert answer.status_code == 200, entry.url
        assert answer.context["guide"].title != "Untitled", entry.url


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/docs/nothing-here", "/docs/adr/9999-nothing", "/docs/pictures/settings.py", "/docs/pictures/x.png"],
)
def test_what_is_no_guide_is_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
