"""A provider of models for measuring: OpenAI's streamed answers of so many pieces, at the pace in the model's name.

`steady-20-50` answers with 20 pieces, 50 ms apart; `steady-20-0` at once. Run as a program: it prints its port.
"""

import asyncio
import json
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route


async def complete(request: Request) -> StreamingResponse:
    model = str((await request.json())["model"])
    _, pieces, pause = model.split("-")

    async def events() -> AsyncIterator[str]:
        yield chunk(model, {"role": "assistant", "content": ""})
        for number in range(int(pieces)):
            if number:
                await asyncio.sleep(int(pause) / 1000)
            yield chunk(model, {"content": f"piece {number} "})
        yield chunk(model, {}, "stop")
        yield chunk(model, None, usage={"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120})
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


def chunk(model: str, delta: dict[str, str] | None, finish: str | None = None, **more: object) -> str:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    common = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
    return f"data: {json.dumps({**common, 'choices': choices, **more})}\n\n"


if __name__ == "__main__":
    application = Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"])])
    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)

    async def main() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        print(server.servers[0].sockets[0].getsockname()[1], flush=True)
        await serving

    asyncio.run(main())
