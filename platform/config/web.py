"""The web process: uvicorn on the platform's port, or on a socket that `up` has opened already (WEB_SOCKET)."""

import os
import socket
import sys
from pathlib import Path

import uvicorn

ROOT = Path(__file__).resolve().parents[2]


class Server(uvicorn.Server):
    """Ends live pages before it waits for what is being answered: they would be so for ever."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        from config.asgi import streams

        streams.end()
        await super().shutdown(sockets)


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
    Server(configuration).run(sockets=[socket.socket(fileno=int(inherited))] if inherited else None)


if __name__ == "__main__":
    main()
