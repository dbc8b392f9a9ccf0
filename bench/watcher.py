"""Looks at executions by as many streams as there are addresses; says what came and when, once it is told to stop.

On standard input a line of JSON with the port, the session and the paths; "ready" is printed once all streams are open.
The next line on standard input ends it, and what came is printed as JSON: [place of the path, number, seconds].
"""

import asyncio
import json
import sys
import time
from typing import Any

Came = list[tuple[int, int, float]]


async def watch(place: int, asked: dict[str, Any], opened: asyncio.Semaphore, came: Came) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", asked["port"], limit=1 << 22)
    head = f"GET {asked['paths'][place]} HTTP/1.1\r\nHost: 127.0.0.1:{asked['port']}\r\n"
    writer.write(f"{head}Accept: text/event-stream\r\nCookie: sessionid={asked['session']}\r\n\r\n".encode())
    status = await reader.readline()
    if b" 200 " not in status:
        raise SystemExit(f"A stream was refused: {status.decode().strip()}")
    async for line in reader:
        if line.startswith(b"retry:"):
            opened.release()
        elif line.startswith(b"id: "):
            came.append((place, int(line[4:]), time.time()))


async def main() -> None:
    loop = asyncio.get_running_loop()
    asked = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    opened, came = asyncio.Semaphore(0), Came()
    watching = [asyncio.create_task(watch(place, asked, opened, came)) for place in range(len(asked["paths"]))]
    for _ in watching:
        await asyncio.wait_for(opened.acquire(), 60)
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    for task in watching:
        task.cancel()
    print(json.dumps(came))


if __name__ == "__main__":
    asyncio.run(main())
