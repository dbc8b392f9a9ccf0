"""The platform's web process with its own figures at /figures: queries through Django so far, and its memory."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from config.asgi import application as platform

queries = 0


def counted(execute: Callable[..., Any], *arguments: Any) -> Any:
    global queries
    queries += 1
    return execute(*arguments)


def count(connection: BaseDatabaseWrapper, **_: Any) -> None:
    connection.execute_wrappers.append(counted)


connection_created.connect(count)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http" or scope["path"] != "/figures":
        await platform(scope, receive, send)
        return
    status = Path("/proc/self/status").read_text()
    resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    body = json.dumps({"queries": queries, "resident_kb": int(resident)}).encode()
    await send({"type": "http.response.body", "body": body})
