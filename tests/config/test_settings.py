"""What production refuses to start on, and what it says then."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from config import logs
from tests.config.production import manage


def test_production_settings_pass_every_deployment_check() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS", "PUBLIC_URL", "DATABASE_URL", "BROKER_URL"])
def test_production_names_the_variable_that_is_missing(name: str, tmp_path: Path) -> None:
    done = manage("check", **{name: "", "ASTERISM_VAR": str(tmp_path)})
    assert done.returncode != 0
    assert f"Set {name}" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PUBLIC_URL", "http://asterism.example.com", "begins with https://"),
        ("DATABASE_URL", "sqlite:///file", "postgres://"),
        ("BROKER_URL", "kafka://here", "amqp:// or redis://"),
        ("TRUSTED_PROXIES", "everyone", "comma-separated list"),
        ("PORT", "eighty", "whole number"),
        ("DEBUG", "perhaps", "1 or 0"),
    ],
)
def test_a_wrong_value_is_refused_with_the_variables_name(name: str, value: str, said: str) -> None:
    done = manage("check", **{name: value})
    assert done.returncode != 0
    assert name in done.stderr
    assert said in done.stderr


def test_production_logs_are_json_with_the_requests_id() -> None:
    program = (
        "import logging, logging.config; from config import logs; from security import request_id;"
        "logging.config.dictConfig(logs.configuration(json=True, level='INFO'));"
        "request_id.begin('known-request'); logging.getLogger('asterism').info('said')"
    )
    root = Path(__file__).resolve().parents[2]
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(root / "platform")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    line = json.loads(printed)
    assert (line["level"], line["logger"], line["message"], line["request_id"]) == (
        "INFO",
        "asterism",
        "said",
        "known-request",
    )


def test_a_development_secret_is_made_once_and_private(tmp_path: Path) -> None:
    from config import environment

    file = tmp_path / "var" / "secret"
    made = environment.secret("A_SECRET_NOBODY_SET", file=file, make=environment.random_text)
    assert len(made) >= 50
    assert file.stat().st_mode & 0o777 == 0o600
    assert environment.secret("A_SECRET_NOBODY_SET", file=file, make=environment.random_text) == made


@pytest.mark.parametrize(("as_json", "told"), [(True, True), (False, False)])
def test_tasks_that_go_well_are_told_of_in_production_alone_and_failures_everywhere(as_json: bool, told: bool) -> None:
    loggers = logs.configuration(json=as_json, level="INFO")["loggers"]
    for name in ("celery.beat", "celery.app.trace", "celery.worker.strategy"):
        level = logging.getLevelNamesMapping()[loggers[name]["level"]]
        assert (level <= logging.INFO, level <= logging.ERROR) == (told, True)
