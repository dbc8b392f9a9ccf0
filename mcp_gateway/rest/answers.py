"""What the REST API answers: a tool's result as JSON, nothing, a redirect, or an error in the one shape it has."""

import logging
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pydantic_core
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from pydantic import BaseModel, PrivateAttr, ValidationError
from rest_framework import exceptions

from accounts import errors
from mcp_gateway.pieces import as_file
from security import request_id

# A caller fixes a request from the first few faults; the rest follow from them.
MOST_FAULTS = 8
STATUS_BY_CODE = {"too_large": 413}
STATUS_BY_KIND: Mapping[type[errors.DomainError], int] = {
    errors.Invalid: 400,
    errors.PlanLimit: 402,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Throttled: 429,
    errors.Unavailable: 503,
}

logger = logging.getLogger(__name__)


class Error(BaseModel):
    """What went wrong."""

    code: int
    message: str


class Elsewhere(BaseModel):
    """The result of a tool whose answer lies at another address, to which the caller is sent."""

    location: str


class Download(BaseModel):
    """The result of a tool that gives a file, made while it is sent: the body of the answer, and no JSON around it."""

    name: str
    mime_type: str
    _pieces: Iterator[str] = PrivateAttr()

    @classmethod
    def of(cls, pieces: Iterator[str], *, name: str, mime_type: str) -> "Download":
        made = cls(name=name, mime_type=mime_type)
        made._pieces = pieces
        return made

    def response(self, request: HttpRequest) -> StreamingHttpResponse:
        return as_file(request, self._pieces, name=self.name, mime_type=self.mime_type)


class Accepted(BaseModel):
    """The result of a tool whose work goes on after the answer; `location` is the address at which it is looked at."""

    @abstractmethod
    def location(self) -> str: ...


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    download: Download | None = None

    def response(self, request: HttpRequest) -> HttpResponseBase:
        return self.plain() if self.download is None else self.download.response(request)

    def plain(self) -> HttpResponse:
        """The response of one that is no download."""
        response = HttpResponse(self.body, status=self.status, headers=self.headers)
        if self.body:
            response.headers["Content-Type"] = "application/json"
        else:
            del response.headers["Content-Type"]
        # It is one person's, and often of this moment only.
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


def result(given: BaseModel) -> Answer:
    if isinstance(given, Elsewhere):
        return Answer(302, headers={"Location": given.location})
    if isinstance(given, Download):
        return Answer(200, download=given)
    if isinstance(given, Accepted):
        return Answer(202, given.model_dump_json(by_alias=True).encode(), {"Location": given.location()})
    if not type(given).model_fields:
        return Answer(204)
    return Answer(200, given.model_dump_json(by_alias=True).encode())


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, pydantic_core.to_json({"code": status, "message": message}), headers or {})


def refusal(refused: errors.DomainError) -> Answer:
    """The answer to what a service would not do."""
    kinds = (kind for kind in type(refused).__mro__ if kind in STATUS_BY_KIND)
    status = STATUS_BY_CODE.get(refused.code) or STATUS_BY_KIND.get(next(kinds, errors.Invalid), 400)
    wait = refused.data.get("retry_after")
    return error(status, refused.message, {"Retry-After": str(wait)} if wait else None)


def unfit(fault: ValidationError) -> Answer:
    """The answer to arguments that do not validate: each fault by the field's name."""
    faults = [
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}" if one["loc"] else one["msg"]
        for one in fault.errors(include_url=False, include_context=False, include_input=False)
    ]
    return error(400, f"{'; '.join(faults[:MOST_FAULTS])}.")


def for_exception(failure: Exception, context: Any = None) -> HttpResponse:
    """The answer to whatever ended a request, in the form in which the framework asks for it.

    What nobody foresaw is logged, and the caller is told where to look and nothing of what happened.
    """
    match failure:
        case errors.DomainError():
            answer = refusal(failure)
        case ValidationError():
            answer = unfit(failure)
        case exceptions.APIException():
            answer = error(failure.status_code, str(failure.detail), _headers(failure))
        case Http404():
            answer = error(404, "There is nothing at this address. The API page lists what there is.")
        case RequestDataTooBig():
            answer = error(413, "The body is too large. Send less at a time.")
        case SuspiciousOperation():
            answer = error(400, "The request is malformed.")
        case OperationalError() | InterfaceError():
            logger.error("The database does not answer", exc_info=failure)
            answer = error(503, "The database does not answer. Try again in a few seconds.", {"Retry-After": "5"})
        case _:
            logger.error("A REST request failed", exc_info=failure)
            answer = error(
                500, f"Something failed on our side. It is in the log under the request id {request_id.current()}."
            )
    return answer.plain()


def _headers(failure: exceptions.APIException) -> dict[str, str]:
    challenge: str | None = getattr(failure, "auth_header", None)
    return {"WWW-Authenticate": challenge} if challenge else {}
