"""The profile's secrets: used by name, and in nothing that is stored or said to a model."""

import base64
import html
import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agents_hub.models import ProfileCredential
from config.logs import ForMachines, Readable, WithRequestId
from security.fields import Sealed
from tests.serving import serve
from tests.workflows.graphs import node, way
from tests.workflows.tasks import END, call, done, failures, on, started, task, told
from workflows.engine import run
from workflows.engine.states import Status
from workflows.models import Checkpoint, Step, UserMessage
from workflows.nodes import kinds
from workflows.secrets import Secrets
from workflows.services import wishes
from workflows.task.actions import ActionFailed
from workflows.task.calls import totp
from workflows.task.loop import Task

pytestmark = pytest.mark.usefixtures("unwatched")
TOKEN = "tok/en+of 12"
# RFC 6238, appendix B: the ASCII secret 12345678901234567890 in Base32.
RFC = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that models were asked."""
    questions: list[str] = []
    ask = Task.ask

    async def note(self: Task, question: Any) -> Any:
        questions.append(f"{question.instructions}{question.history}")
        return await ask(self, question)

    monkeypatch.setattr(Task, "ask", note)
    return questions


@pytest.fixture
def echo() -> Iterator[tuple[str, list[Any]]]:
    """An API that says again what it was sent, and what it was sent."""
    seen: list[Any] = []

    async def refuse(request: Request) -> JSONResponse:
        return JSONResponse({"no": request.headers["x-token"], "long": "x" * 49_950 + TOKEN}, 403)

    async def say(request: Request) -> JSONResponse:
        sent = {"token": request.headers.get("x-token"), "body": json.loads(await request.body() or b"null")}
        sent["query"] = dict(request.query_params)
        seen.append(sent | {"key": request.headers["idempotency-key"]})
        return JSONResponse(sent)

    app = Starlette(routes=[Route("/", say, methods=["GET", "POST"]), Route("/refuse", refuse)])
    with serve(app) as served:
        yield f"http://127.0.0.1:{served.port}/", seen


def everything_stored(execution: Any) -> str:
    rows = [*Step.objects.values_list("output", "summary"), *Checkpoint.objects.values_list("body")]
    return json.dumps([told(execution), execution.variables, execution.result, list(map(str, rows))])


@pytest.mark.django_db
def test_a_secret_is_sent_by_name_and_its_value_is_stored_nowhere(echo: Any, said: list[str]) -> None:
    url, seen = echo
    request = call(
        "ext_api_call",
        method="POST",
        url=url,
        headers={"X-Token": "${secret.SHOP_TOKEN}"},
        body={"a": "${secret.shop_token}"},
    )
    look = task("look", request, done(found=TOKEN), tools=("ext_api_call",), words="Use SHOP_TOKEN.")
    api = node("fetch", "api", properties={"method": "GET", "url": url, "headers": {"X-Token": "${secret.SHOP_TOKEN}"}})
    _, execution = started(
        look, api, END, way("look", "fetch"), way("fetch", "end", "outcome_success"), secrets={"SHOP_TOKEN": TOKEN}
    )
    assert on(execution).state == Status.COMPLETED
    assert [each["token"] for each in seen] == [TOKEN, TOKEN]
    assert seen[0]["body"] == {"a": TOKEN}
    assert seen[0]["key"] == f"{execution.pk}/1/look/1.1"
    assert execution.variables["found"] == "${secret.SHOP_TOKEN}"
    assert execution.variables["Fetch"]["body"]["token"] == "${secret.SHOP_TOKEN}"
    assert TOKEN not in everything_stored(execution)
    assert "SHOP_TOKEN" in said[0]
    assert not [each for each in said if TOKEN in each]


@pytest.mark.django_db
def test_a_secret_that_the_nodes_own_words_do_not_name_is_not_there(echo: Any) -> None:
    url, seen = echo
    request = call("ext_api_call", url=url + "{{.word}}${secret.OTHER}")
    _, execution = started(
        task("look", request, done(), tools=("ext_api_call",), words="Look at {{.word}}."),
        END,
        way("look", "end"),
        secrets={"INSIDE": TOKEN},
        inputs={"word": "INSIDE"},
    )
    assert on(execution).state == Status.COMPLETED
    assert seen == []
    assert failures(execution) == ["There is no secret OTHER for this step. None of those it names is in the profile."]


@pytest.mark.django_db
def test_a_one_time_code_is_made_without_the_model_seeing_the_secret(said: list[str]) -> None:
    code = call("util_generate_totp_secret", credential="shop_otp")
    tools = ("util_generate_totp_secret",)
    _, execution = started(
        task("look", code, done(), tools=tools, words="Sign in with SHOP_OTP."),
        END,
        way("look", "end"),
        secrets={"SHOP_OTP": RFC},
    )
    assert on(execution).state == Status.COMPLETED
    assert failures(execution) == []
    assert not [each for each in said if RFC in each]
    [made] = told(execution, type="action_completed")
    assert "info" not in made


# RFC 6238, appendix B, with the last six digits.
@pytest.mark.parametrize(("now", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_one_time_codes_are_those_of_the_standard(now: int, code: str) -> None:
    assert totp(RFC, now) == code
    assert totp(f"otpauth://totp/Shop:ada?secret={RFC.lower()}&issuer=Shop", now) == code


# RFC 6238, appendix B: each algorithm has a secret of its own length.
@pytest.mark.parametrize(
    ("algorithm", "length", "code"), [("SHA1", 20, "94287082"), ("SHA256", 32, "46119246"), ("SHA512", 64, "90693936")]
)
def test_an_address_says_how_its_codes_are_made(algorithm: str, length: int, code: str) -> None:
    secret = base64.b32encode((b"1234567890" * 7)[:length]).decode()
    address = f"otpauth://totp/Shop:ada?secret={secret}&algorithm={algorithm}&digits=8&period="
    assert totp(address + "30", 59) == code
    assert totp(address + "60", 119) == code


@pytest.mark.parametrize("credential", ["hunter-1809!", "pässwörd", "", "otpauth://totp/Shop"])
def test_a_credential_of_another_kind_makes_no_code(credential: str) -> None:
    with pytest.raises(ActionFailed, match="not Base32"):
        totp(credential, 0)


@pytest.mark.parametrize("said", ["digits=0", "digits=99999", "period=0", "period=x", "algorithm=md5"])
def test_codes_of_a_kind_that_cannot_be_made_are_refused(said: str) -> None:
    with pytest.raises(ActionFailed, match="of a kind that cannot be made here"):
        totp(f"otpauth://totp/Shop:ada?secret={RFC}&{said}", 0)


@pytest.mark.parametrize("form", ["tok/en+of 12", "tok%2Fen%2Bof%2012", "tok/en%2Bof%2012", "dG9rL2VuK29mIDEy"])
def test_a_value_is_hidden_however_it_comes_back(form: str) -> None:
    secrets = Secrets({"TOKEN": TOKEN, "SHORT": "abc"})
    assert secrets.hide({f"x{form}": [f"is {form}!", 1]}) == {"x${secret.TOKEN}": ["is ${secret.TOKEN}!", 1]}
    assert secrets.hide("abc") == "abc"


QUOTED = 'pa"ss\\w\nörd & <1>'


@pytest.mark.parametrize(
    "form",
    [
        json.dumps(QUOTED)[1:-1],
        json.dumps(QUOTED, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps({"is": QUOTED}))[1:-1],
        html.escape(QUOTED),
        html.escape(QUOTED, quote=False),
        QUOTED.encode().hex(),
        QUOTED.encode().hex().upper(),
        quote(QUOTED).lower(),
        *(base64.b64encode(f"{'u' * length}:{QUOTED}".encode()).decode() for length in (3, 4, 5)),
    ],
)
def test_a_value_is_hidden_when_it_comes_back_escaped(form: str) -> None:
    hidden = Secrets({"TOKEN": QUOTED}).hide(f"is {form}!")
    assert "${secret.TOKEN}" in hidden
    assert len(hidden) < 45


def test_a_value_is_hidden_when_it_comes_back_as_a_number() -> None:
    assert Secrets({"CARD": "4111222233334444"}).hide([4111222233334444, True]) == ["${secret.CARD}", True]


@pytest.mark.django_db
def test_a_refusal_that_repeats_a_secret_and_is_cut_in_the_midst_of_it_tells_nothing(
    echo: Any, said: list[str]
) -> None:
    url, _ = echo
    request = call("ext_api_call", url=url + "refuse", headers={"X-Token": "${secret.SHOP_TOKEN}"})
    _, execution = started(
        task("look", request, done(), tools=("ext_api_call",), words="Use SHOP_TOKEN."),
        END,
        way("look", "end"),
        secrets={"SHOP_TOKEN": TOKEN},
    )
    assert on(execution).state == Status.COMPLETED
    assert failures(execution)
    assert not [text for text in (everything_stored(execution), *said) if TOKEN[:6] in text]


@pytest.mark.django_db
def test_what_a_person_says_is_kept_without_secrets(echo: Any, said: list[str]) -> None:
    caller, execution = started(
        task("look", done(), words="Use SHOP_TOKEN."), END, way("look", "end"), secrets={"SHOP_TOKEN": TOKEN}
    )
    assert execution.profile is not None
    assert execution.profile is not None
    credential = execution.profile.credentials.create(name="LOST", value="gone")
    ProfileCredential.objects.filter(pk=credential.pk).update(value=Sealed(b"spoilt" * 10))
    wishes.add_message(caller, execution_id=execution.pk, text=f"It is {TOKEN}.")
    assert UserMessage.objects.get().text == "It is ${secret.SHOP_TOKEN}."
    assert TOKEN not in json.dumps(told(execution))


@pytest.mark.django_db
def test_a_secret_in_an_address_is_encoded(echo: Any) -> None:
    url, seen = echo
    api = node("fetch", "api", properties={"method": "GET", "url": url + "?token=${secret.SHOP_TOKEN}&x=1"})
    _, execution = started(api, END, way("fetch", "end", "outcome_success"), secrets={"SHOP_TOKEN": "a&b+c d"})
    assert on(execution).state == Status.COMPLETED
    assert seen[0]["query"] == {"token": "a&b+c d", "x": "1"}


@pytest.mark.django_db
@pytest.mark.parametrize("json_lines", [True, False])
def test_a_fault_of_ours_writes_no_secret_into_the_log(json_lines: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(work: Any) -> Any:
        raise ValueError(f"no host in {work.secrets.value('SHOP_TOKEN', ['SHOP_TOKEN'])}")

    monkeypatch.setitem(kinds._kinds, "url", burst)
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.addFilter(WithRequestId())
    handler.setFormatter(ForMachines("%(message)s") if json_lines else Readable())
    monkeypatch.setattr(run.logger, "handlers", [handler])
    _, execution = started(
        node("look", "url"), END, way("look", "end", "outcome_success"), secrets={"SHOP_TOKEN": 'pa"ss/1'}
    )
    assert on(execution).state == Status.FAILED
    assert "no host in ${secret.SHOP_TOKEN}" in lines.getvalue()
    assert "ss/1" not in lines.getvalue()
