"""The system user the local PostgreSQL runs as when the platform is started by root, and the folder that is its own.

PostgreSQL refuses to run as root. No permission of anything outside that folder is ever changed.
"""

import os
import pwd
import shutil
import subprocess
from functools import cache
from pathlib import Path

USER = "asterism"
HOME = Path("/var/lib/asterism")


class AccountError(Exception):
    """The user could not be made or used; the message says what to do instead."""


def create() -> None:
    """Make the user and its folder where they are missing."""
    try:
        pwd.getpwnam(USER)
    except KeyError:
        _add_user()
    if not HOME.is_dir():
        HOME.mkdir(parents=True, exist_ok=True)
        HOME.chmod(0o755)


def _add_user() -> None:
    commands = [
        ["useradd", "--system", "--home-dir", str(HOME), "--no-create-home", "--shell", "/usr/sbin/nologin", USER],
        ["adduser", "-S", "-D", "-H", "-h", str(HOME), "-s", "/sbin/nologin", USER],  # BusyBox
    ]
    said = "neither useradd nor adduser was found"
    for command in commands:
        if program := shutil.which(command[0], path="/usr/sbin:/usr/bin:/sbin:/bin"):
            done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
            # Another checkout starting at the same moment may have been quicker.
            if done.returncode == 0 or "already exists" in done.stderr:
                return
            said = done.stderr.strip()
    raise AccountError(
        f"PostgreSQL does not run as root, and the user {USER!r} could not be made for it ({said}). "
        "Run this as a normal user, or set DATABASE_URL to a PostgreSQL server of yours."
    )


def ids() -> tuple[int, int]:
    entry = pwd.getpwnam(USER)
    return entry.pw_uid, entry.pw_gid


def give(path: Path) -> None:
    """Make `path`, a folder unless it is there, private to the user."""
    if not path.exists():
        path.mkdir(mode=0o700)
    os.chown(path, *ids())


@cache
def reachable(package: Path, *, version: str) -> Path:
    """The package's folder if the user can run what lies in it, else a copy beside the data."""
    if _runs(package):
        return package
    copy = HOME / f"binaries-{version}"
    if not copy.is_dir():
        draft = HOME / f"binaries-{version}.draft.{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(package / "pginstall18", draft / package.name / "pginstall18", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        _open_for_reading(draft)
        try:
            draft.rename(copy)
        except OSError:  # another process put its own there first
            shutil.rmtree(draft, ignore_errors=True)
    if not _runs(copy / package.name):
        raise AccountError(
            f"The user {USER!r} cannot run PostgreSQL from {copy}; it may lie on a file system mounted noexec. "
            "Run this as a normal user, or set DATABASE_URL to a PostgreSQL server of yours."
        )
    return copy / package.name


def _runs(package: Path) -> bool:
    user, group = ids()
    try:
        version = subprocess.run(
            [package / "pginstall18" / "bin" / "initdb", "--version"],
            user=user,
            group=group,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return version.returncode == 0


def _open_for_reading(folder: Path) -> None:
    """Give the copy the modes an installed program has, whatever umask the original was installed under."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
