"""A provider of models on loopback, by the protocols of OpenAI, Anthropic and Google: streamed, failing on demand."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-a-key-that-nobody-may-ever-read-0123456789"


@dataclass(frozen=True)
class Reply:
    """What is answered, in pieces; with `calls` tools are called. `cut` ends the connection before the last piece.

    `held` stops in the midst of the answer, sets `halfway`, and goes on when the test sets `go`.
    """

    pieces: tuple[str, ...] = ("Hello ", "there.")
    calls: tuple[tuple[str, str], ...] = ()
    input: int = 100
    cached: int = 40
    output: int = 10
    cut: bool = False
    held: bool = False


@dataclass(frozen=True)
class Fault:
    """An answer that is none: a status with its headers, and words that repeat the key as real providers do."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    code: str = "some_error"
    message: str = "Not with {key}."


@dataclass(frozen=True)
class Silence:
    """Nothing is answered until the test is over."""


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class ModelProvider:
    port: int = 0
    seen: list[Request] = field(default_factory=list)
    # Each is given once; after the last one, plain replies.
    answers: deque[Reply | Fault | Silence] = field(default_factory=deque)
    over: threading.Event = field(default_factory=threading.Event)
    halfway: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    came: threading.Condition = field(default_factory=threading.Condition)

    def wait_until_seen(self, count: int) -> None:
        """Until so many requests have come."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.seen) >= count, 30)

    @property
    def openai(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def anthropic(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def google(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def model_provider() -> Iterator[ModelProvider]:
    """A provider that knows `KEY` alone, served by threads until left."""
    provider = ModelProvider()
    handler = type("Handler", (_Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    provider.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="model provider")
    thread.start()
    try:
        yield provider
    finally:
        provider.over.set()
        provider.go.set()
        server.shutdown()
        server.server_close()
        thread.join(20)


class _Handler(BaseHTTPRequestHandler):
    provider: ModelProvider
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.provider.came:
            self.provider.seen.append(Request(self.path, headers, body))
            self.provider.came.notify_all()
        self.close_connection = True
        sent = next((headers[name] for name in ("x-api-key", "x-goog-api-key") if name in headers), "")
        sent = sent or headers.get("authorization", "").removeprefix("Bearer ")
        if sent != KEY:
            self._refuse(Fault(401, code="invalid_api_key"), sent)
            return
        answer = self.provider.answers.popleft() if self.provider.answers else Reply()
        match answer:
            case Fault():
                self._refuse(answer, sent)
            case Silence():
                self.provider.over.wait(60)
            case Reply():
                events = self._events(answer, body)
                # Whoever asked may have gone meanwhile.
                with suppress(BrokenPipeError, ConnectionResetError):
                    self._stream(list(events), cut=answer.cut, held=answer.held)

    def end_headers(self) -> None:
        # Said, and not only done: else the next question may go out on a connection that is just being closed.
        self.send_header("Connection", "close")
        super().end_headers()

    def _events(self, reply: Reply, body: dict[str, Any]) -> Iterator[str]:
        if ":streamGenerateContent" in self.path:
            return _google(reply)
        return _anthropic(reply, body) if self.path.endswith("/messages") else _openai(reply, body)

    def _refuse(self, fault: Fault, key: str) -> None:
        error: dict[str, Any] = {"message": fault.message.format(key=key), "type": fault.code, "code": fault.code}
        if "x-goog-api-key" in self.headers:
            error |= {"code": fault.status, "status": fault.code.upper()}
        content = json.dumps({"type": "error", "error": error}).encode()
        self.send_response(fault.status)
        for name, value in {"Content-Type": "application/json", **fault.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, events: list[str], *, cut: bool, held: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, event in enumerate(events):
            if held and number == len(events) // 2:
                self.provider.halfway.set()
                self.provider.go.wait(60)
            if cut and number == len(events) // 2:
                return
            content = event.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        self.wfile.write(b"0\r\n\r\n")

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing; tests look at `seen`."""


def _openai(reply: Reply, body: dict[str, Any]) -> Iterator[str]:
    def chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> str:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        common = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
        return f"data: {json.dumps({**common, 'choices': choices, **more})}\n\n"

    yield chunk({"role": "assistant", "content": ""})
    for piece in reply.pieces:
        yield chunk({"content": piece})
    for number, (name, arguments) in enumerate(reply.calls):
        function = {"name": name, "arguments": arguments}
        yield chunk(
            {"tool_calls": [{"index": number, "id": f"call_{number}", "type": "function", "function": function}]}
        )
    yield chunk({}, "tool_calls" if reply.calls else "stop")
    usage = {
        "prompt_tokens": reply.input,
        "completion_tokens": reply.output,
        "total_tokens": reply.input + reply.output,
        "prompt_tokens_details": {"cached_tokens": reply.cached},
    }
    yield chunk(None, usage=usage)
    yield "data: [DONE]\n\n"


def _anthropic(reply: Reply, body: dict[str, Any]) -> Iterator[str]:
    def event(name: str, **data: Any) -> str:
        return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n"

    # Here what was read from the cache is counted beside the input, not within it.
    usage = {"input_tokens": reply.input - reply.cached, "cache_read_input_tokens": reply.cached, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": []}
    yield event("message_start", message={**message, "stop_reason": None, "stop_sequence": None, "usage": usage})
    index = 0
    if reply.pieces:
        yield event("content_block_start", index=index, content_block={"type": "text", "text": ""})
        for piece in reply.pieces:
            yield event("content_block_delta", index=index, delta={"type": "text_delta", "text": piece})
        yield event("content_block_stop", index=index)
        index += 1
    for number, (name, arguments) in enumerate(reply.calls):
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}}
        yield event("content_block_start", index=index, content_block=block)
        delta = {"type": "input_json_delta", "partial_json": arguments}
        yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
        index += 1
    stop = {"stop_reason": "tool_use" if reply.calls else "end_turn", "stop_sequence": None}
    yield event("message_delta", delta=stop, usage={"output_tokens": reply.output})
    yield event("message_stop")


def _google(reply: Reply) -> Iterator[str]:
    def chunk(parts: list[dict[str, Any]], **more: Any) -> str:
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0} | more
        # Each chunk tells what was used so far; the last one counts.
        usage = {
            "promptTokenCount": reply.input,
            "cachedContentTokenCount": reply.cached,
            "candidatesTokenCount": reply.output,
            "totalTokenCount": reply.input + reply.output,
        }
        return f"data: {json.dumps({'candidates': [candidate], 'usageMetadata': usage, 'responseId': 'r1'})}\r\n\r\n"

    for piece in reply.pieces:
        yield chunk([{"text": piece}])
    for number, (name, arguments) in enumerate(reply.calls):
        yield chunk([{"functionCall": {"id": f"call_{number}", "name": name, "args": json.loads(arguments)}}])
    yield chunk([], finishReason="STOP")
