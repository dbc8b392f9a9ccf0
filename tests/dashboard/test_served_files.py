"""The files pages are served with: what is vendored is what was published, and what is named is there."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.storage import storages
from django.core.management import call_command
from django.template import Context, Template
from django.test import AsyncClient, Client, override_settings

from tests.browser.conftest import node_packages  # noqa: F401  (a fixture)

STATIC = settings.ROOT / "platform" / "dashboard" / "static" / "dashboard"
# Of dist/htmx.min.js in the npm package htmx.org 4.0.1.
HTMX_SHA384 = "Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn"


def templates() -> list[Path]:
    folders = (settings.ROOT / app for app in ("platform", "bots", "mcp_gateway"))
    return sorted(file for folder in folders for file in folder.rglob("templates/**/*.html"))


def sha384(content: bytes) -> str:
    return base64.b64encode(hashlib.sha384(content).digest()).decode()


def test_the_vendored_htmx_is_the_version_that_package_json_pins() -> None:
    pinned = json.loads((settings.ROOT / "package.json").read_text())["dependencies"]["htmx.org"]
    (vendored,) = (STATIC / "vendor").glob("htmx-*.js")
    assert vendored.name == f"htmx-{pinned}.min.js"
    assert sha384(vendored.read_bytes()) == HTMX_SHA384


def test_the_vendored_htmx_is_byte_for_byte_what_npm_delivers(node_packages: Path) -> None:  # noqa: F811
    (vendored,) = (STATIC / "vendor").glob("htmx-*.js")
    assert vendored.read_bytes() == (node_packages / "htmx.org" / "dist" / "htmx.min.js").read_bytes()


@pytest.mark.parametrize("template", templates(), ids=lambda path: path.name)
def test_a_template_has_no_inline_script_or_style_and_loads_nothing_from_elsewhere(template: Path) -> None:
    source = template.read_text()
    if "/mail/" not in str(template):
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=", source)
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", source)


@pytest.mark.parametrize("template", templates(), ids=lambda path: path.name)
def test_every_static_file_a_template_names_is_there(template: Path) -> None:
    for name in re.findall(r"""{% static ['"]([^'"]+)['"] %}""", template.read_text()):
        assert finders.find(name), name


def test_raw_colours_and_sizes_stand_in_the_tokens_alone() -> None:
    for sheet in STATIC.glob("*.css"):
        if sheet.name != "tokens.css":
            assert not re.search(r"oklch\(|#[0-9a-fA-F]{3,8}\b|rgb\(|hsl\(", sheet.read_text()), sheet.name


def test_every_token_that_is_used_is_defined() -> None:
    defined = set(re.findall(r"(--[\w-]+):", (STATIC / "tokens.css").read_text()))
    used = {name for sheet in STATIC.glob("*.css") for name in re.findall(r"var\((--[\w-]+)", sheet.read_text())}
    assert used <= defined
    assert defined <= used


@pytest.mark.django_db
def test_files_are_served_with_the_page_headers(client: Client) -> None:
    answer = client.get(staticfiles_storage.url("dashboard/shell.js"))
    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.content == (STATIC / "shell.js").read_bytes()


@pytest.mark.django_db
def test_a_file_that_the_browser_has_is_not_sent_again_and_a_part_can_be_asked_for(client: Client) -> None:
    address = staticfiles_storage.url("dashboard/shell.js")
    modified = client.get(address).headers["Last-Modified"]
    assert client.get(address, headers={"If-Modified-Since": modified}).status_code == 304
    part = client.get(address, headers={"Range": "bytes=3-9"})
    assert (part.status_code, part.content) == (206, (STATIC / "shell.js").read_bytes()[3:10])


def test_files_under_asgi_are_served_without_a_warning() -> None:
    """Warnings are errors here, so the streaming that Django warns of would fail this."""

    async def ask() -> int:
        answer = await AsyncClient().get(staticfiles_storage.url("dashboard/shell.js"))
        return answer.status_code

    assert async_to_sync(ask)() == 200


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/sign-in", "/docs/", "/nowhere", "/dashboard/", "/admin/"])
def test_every_answer_carries_the_policy_and_the_headers_beside_it(client: Client, address: str) -> None:
    headers = client.get(address).headers
    assert headers["Content-Security-Policy"].split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.django_db
def test_no_proxy_keeps_a_page_that_was_made_for_one_person(client: Client) -> None:
    assert client.get("/docs/").headers["Cache-Control"] == "private, no-cache"
    assert "no-store" in client.get("/admin/", follow=True).headers["Cache-Control"]


def test_collected_files_carry_their_hash_and_lie_there_compressed(tmp_path: Path) -> None:
    backend = {"BACKEND": "dashboard.static_files.NamedFiles"}
    with override_settings(STATIC_ROOT=tmp_path, STORAGES={**settings.STORAGES, "staticfiles": backend}):
        call_command("collectstatic", interactive=False, verbosity=0)
        named = storages["staticfiles"].url("dashboard/shell.js")
        streams = storages["staticfiles"].url("dashboard/streams.js").rsplit("/", 1)[1]
    assert re.fullmatch(r"/static/dashboard/shell\.[0-9a-f]{12}\.js", named)
    collected = tmp_path / named.removeprefix("/static/")
    assert collected.read_bytes() == (STATIC / "shell.js").read_bytes()
    assert collected.with_name(collected.name + ".gz").exists()
    # What a module imports is what the page loads beside it, not another copy.
    for folder, script in (("workflows", "execution"), ("agents_hub", "chat")):
        (importing,) = (tmp_path / folder).glob(f"{script}.????????????.js")
        assert f'from "../dashboard/{streams}"' in importing.read_text()


def test_a_field_tells_a_screen_reader_its_help_and_its_error() -> None:
    from bots.pages.tickets import CloseForm

    rendered = Template("{% load shell %}{% fields form %}").render(Context({"form": CloseForm({"reason": ""})}))
    assert 'aria-invalid="true"' in rendered
    for name in re.search(r'aria-describedby="([^"]+)"', rendered)[1].split():  # type: ignore[index]
        assert f'id="{name}"' in rendered
