"""Every operation of the OpenAPI document, asked by schemathesis with what fits it and what not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.http.server import COMPOSITIONS, run_server
from tests.shop import make_demo_shop

CONFIG = Path(__file__).with_name("schemathesis.toml")
TOKEN = "T" * 43


@pytest.fixture(scope="module")
def back_office(postgres_18_server, tmp_path_factory):
    """A service that sells the demo's products, and a token that may do everything: and does."""
    settings = {**make_demo_shop(postgres_18_server), "api_tokens": f"tests:{TOKEN}"}
    with run_server(COMPOSITIONS, tmp_path_factory.mktemp("fuzzed"), **settings) as server:
        yield server


def test_nothing_ends_in_a_5xx_or_in_an_answer_that_is_not_documented(back_office):
    done = ask(back_office, {"TOKEN": TOKEN}, "examples,coverage,fuzzing")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "incident" not in back_office.log.read_text()


def test_nobody_gets_a_5xx_or_an_answer_that_is_not_documented(back_office):
    done = ask(back_office, {"TOKEN": "nobody"}, "coverage", "--mode", "positive")
    assert done.returncode == 0, done.stdout + done.stderr


def ask(server, environment, phases, *words):
    # The seed is fixed: what CI refuses can be asked again. Without it, every run asks otherwise.
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"]
    command += [f"{server.url}/schema", "--url", server.url, "--phases", phases]
    command += ["--max-examples", "8", "--seed", "1", "--no-color", "--warnings", "off", *words]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=500
    )
