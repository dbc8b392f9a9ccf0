"""`platform/` is a source root that must never shadow the standard library's module of that name."""

import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE_ROOT = ROOT / "platform"
STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib")).resolve()


def test_the_standard_librarys_platform_module_is_the_one_imported() -> None:
    assert Path(platform.__file__).resolve().parent == STANDARD_LIBRARY


def test_it_still_is_with_the_repositorys_root_first_on_the_path() -> None:
    program = "import sys, platform; print(platform.__file__)"
    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert Path(printed.strip()).resolve().parent == STANDARD_LIBRARY


def test_the_source_root_is_no_package() -> None:
    assert SOURCE_ROOT.is_dir()
    assert not (SOURCE_ROOT / "__init__.py").exists()


@pytest.mark.parametrize("folder", [SOURCE_ROOT, ROOT], ids=["platform", "root"])
def test_no_package_takes_a_standard_modules_name(folder: Path) -> None:
    packages = {path.parent.name for path in folder.glob("*/__init__.py")} | {path.stem for path in folder.glob("*.py")}
    assert packages
    assert not packages & set(sys.stdlib_module_names)


def test_the_settings_import_from_anywhere_by_managepy() -> None:
    shown = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "version"], cwd="/", capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("5.2")


def test_the_web_process_and_the_worker_start_from_nothing() -> None:
    """In a process of its own: here everything is imported already, and an import in the wrong order would not show."""
    program = "import config.asgi, config.celery; config.celery.app.finalize(); print(sorted(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": f"{SOURCE_ROOT}:{ROOT}", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    shown = subprocess.run(
        [sys.executable, "-c", f"import sys; {program}"],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    # It takes a second to load, and is loaded when a model is first asked.
    assert "'pydantic_ai'" not in shown.stdout


def test_a_task_sent_from_any_thread_goes_to_our_broker() -> None:
    """A request is answered in a thread of its own, and nothing there names the application that sends tasks."""
    program = (
        "import django, threading; django.setup()\n"
        "from accounts.tasks import mail_password_reset as task\n"
        "thread = threading.Thread(target=lambda: print(task.app.main)); thread.start(); thread.join()"
    )
    environment = {**os.environ, "PYTHONPATH": f"{SOURCE_ROOT}:{ROOT}", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    shown = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    assert (shown.stdout.strip(), shown.returncode) == ("asterism", 0), shown.stderr
