"""The virtual environment of what we compare with, made once for each content of requirements-bench.txt."""

import fcntl
import hashlib
import shutil
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "var" / "bench" / "fastmcp"
REQUIREMENTS = ROOT / "requirements-bench.txt"
STAMP = FOLDER / "installed"
PYTHON = FOLDER / "bin" / "python"


def ensure() -> None:
    """Make the environment, or make it anew after the requirements changed. One process at a time does."""
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with FOLDER.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
        if not STAMP.exists() or STAMP.read_text() != wanted:
            _install()
            STAMP.write_text(wanted)


def _install() -> None:
    print("Installing FastMCP in an environment of its own", flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    venv.create(FOLDER, with_pip=True)
    subprocess.run(
        [PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--requirement", REQUIREMENTS],
        check=True,
    )
