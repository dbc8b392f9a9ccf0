"""What the suite starts for each scenario, with the server's address: a person who connects when they are asked to.

It imports nothing of ours and starts at once, because dozens of it run together. The work is done by the two processes
of `connector`, whose sockets CONFORMANCE_CONNECTORS names.
"""

import http.client
import json
import os
import socket
import sys
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# Whoever is asked to connect again and again gives up.
MOST_SIGN_INS = 3


def told(connector: str, do: str, **order: Any) -> dict[str, Any]:
    """What one of the two processes makes of an order."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(connector)
        line.sendall(json.dumps({"do": do, **order}).encode() + b"\n")
        with line.makefile() as answer:
            done: dict[str, Any] = json.loads(answer.readline())
    return done


def consent(url: str) -> dict[str, str]:
    """The query with which the provider sends the browser back. These ask nobody anything."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    connection.request("GET", f"{parts.path}?{parts.query}")
    location = connection.getresponse().headers["Location"]
    connection.close()
    return dict(parse_qsl(urlsplit(location).query))


def main(url: str) -> str:
    """What is left to complain about, nothing where all went well."""
    first, second = os.environ["CONFORMANCE_CONNECTORS"].split(os.pathsep)
    scenario = os.environ["MCP_CONFORMANCE_SCENARIO"]
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    scene = {"url": url, "scenario": scenario, "context": context}
    who = scene | told(first, "prepare", **scene)
    for _ in range(MOST_SIGN_INS):
        done = told(second, "work", **who)
        if not done.get("connect"):
            break
        begun = told(first, "begin", **who)
        if "url" not in begun:
            return str(begun)
        ended = told(second, "finish", query=consent(begun["url"]), **who)
        if ended:
            return str(ended)
    else:
        done = told(second, "work", **who)
    return str(done.get("error", ""))


if __name__ == "__main__":
    sys.exit(main(sys.argv[-1]))
