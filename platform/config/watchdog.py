"""Ends what `up` started when `up` is gone, however it went: a kill -9 leaves no process behind.

It leads the process group that all of `up`'s children join, and reads the pipe that only `up` holds open: its end is
the end of `up`. Run as a program: watchdog.py <folder of the local PostgreSQL, or nothing>.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE_SECONDS = 3.0


def start(local_postgres: Path | None) -> "subprocess.Popen[bytes]":
    """The running watchdog; its pid is the group's id, its stdin the pipe."""
    arguments = [str(local_postgres)] if local_postgres else []
    return subprocess.Popen(
        [sys.executable, "-P", __file__, *arguments], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
    )


def members() -> list[int]:
    """The living processes of our group but ourselves."""
    import psutil

    group, own = os.getpgrp(), os.getpid()
    living = []
    for pid in psutil.pids():
        try:
            if pid != own and os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                living.append(pid)
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue
    return living


def main() -> None:
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while members() and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in members():
        os.kill(pid, signal.SIGKILL)
    if len(sys.argv) > 1:
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        from config.embedded import Cluster

        Cluster(Path(sys.argv[1])).stop_if_unused()


if __name__ == "__main__":
    main()
