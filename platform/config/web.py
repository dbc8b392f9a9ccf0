"""The web process: uvicorn on the platform's port, or on a socket that `up` has opened already (WEB_SOCKET)."""

import os
import socket
import sys
from pathlib import Path

import uvicorn

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.conf import settings

    configuration = uvicorn.Config(
        "config.asgi:application",
        host=settings.HOST,
        port=settings.PORT,
        # `config.edge` reads proxies' headers, and logging is Django's.
        proxy_headers=False,
        server_header=False,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
    )
    inherited = os.environ.get("WEB_SOCKET")
    uvicorn.Server(configuration).run(sockets=[socket.socket(fileno=int(inherited))] if inherited else None)


if __name__ == "__main__":
    main()
