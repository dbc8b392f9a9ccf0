"""Coming in by the REST API as a client does: with a key, and JSON in and out."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jsonschema
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse, HttpResponseBase
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.models import User
from accounts.scopes import Scope
from mcp_gateway.rest.document import document
from mcp_gateway.rest.routes import Routes, api
from tests.factories import make_key

BASE = f"/{api.base}"


@dataclass(frozen=True)
class Rest:
    """A person's key at the door of an API. Headers are given with `_` for `-`."""

    key: str
    api: Routes = api
    client: Client = field(default_factory=Client)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        given = {"authorization": f"Bearer {self.key}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        content = body if isinstance(body, bytes | str) else b"" if body is None else json.dumps(body)
        answer: HttpResponse = self.client.generic(  # type: ignore[assignment]
            method, self.address(path), content, content_type="application/json", headers=given
        )
        hold_to_the_document(self.api, method, path, answer)
        return answer

    def address(self, path: str) -> str:
        return f"/{self.api.base}{path}"

    def send_file(self, method: str, path: str, name: str, content: bytes, **headers: str) -> HttpResponse:
        """Send one file as a form does."""
        sent = encode_multipart(BOUNDARY, {"files": SimpleUploadedFile(name, content)})
        given = {"authorization": f"Bearer {self.key}"} | {
            header.replace("_", "-"): value for header, value in headers.items()
        }
        answer: HttpResponse = self.client.generic(  # type: ignore[assignment]
            method, self.address(path), sent, content_type=MULTIPART_CONTENT, headers=given
        )
        hold_to_the_document(self.api, method, path, answer)
        return answer

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.ask("POST", path, body, **headers)


def rest(user: User, scope: Scope = Scope.WRITE, api: Routes = api) -> Rest:
    return Rest(make_key(user, scope)[1], api)


def read(answer: HttpResponseBase) -> Any:
    return json.loads(getattr(answer, "content", b""))


def fault(answer: HttpResponseBase) -> tuple[int, str]:
    """The status and message of an error, whose shape is held to be the one there is."""
    body = read(answer)
    assert set(body) == {"code", "message"}
    assert body["code"] == answer.status_code
    return body["code"], body["message"]


def hold_to_the_document(api: Routes, method: str, path: str, answer: HttpResponse) -> None:
    """Fail where an answer has a status or a shape that the OpenAPI document does not tell of."""
    described = _operation(api, method, f"/{api.base}{path.split('?')[0]}")
    if described is None or answer.status_code == 405:
        return
    responses = described["responses"]
    assert str(answer.status_code) in responses, f"{method} {path} answers {answer.status_code}, which is undocumented"
    content = responses[str(answer.status_code)].get("content")
    if content is None:
        assert not answer.content
        return
    if answer.streaming:
        assert answer["Content-Type"].partition("/")[0] == "text" or "application/json" in content
        return
    schema = content["application/json"]["schema"] | {"components": _document(api)["components"]}
    jsonschema.validate(json.loads(answer.content), schema, format_checker=jsonschema.FormatChecker())


@cache
def _document(api: Routes) -> Any:
    return json.loads(document(api))


def _operation(api: Routes, method: str, path: str) -> Any:
    """The operation at the path; one spelt out goes before one with a parameter."""
    paths = _document(api)["paths"]
    fitting = [one for one in paths if re.fullmatch(re.sub(r"{\w+}", "[^/]+", one), path)]
    return paths[min(fitting, key=lambda one: one.count("{"))].get(method.lower()) if fitting else None
