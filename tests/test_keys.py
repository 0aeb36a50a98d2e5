"""`keys make` and `keys sign`, run as a person runs them."""

import os
import re
import subprocess
import sys

import pytest

from render_service.auth.tokens import parse_tokens

PATH = "/iiif/3/ring~hero~0123456789~metal=gold/full/^max/0/default.webp"


def run(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "render_service", "keys", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def key():
    return run("make").stdout.strip()


def test_a_key_is_what_the_setting_takes(key):
    assert re.fullmatch(r"k[0-9a-f]{6}:[A-Za-z0-9_-]{43}", key)
    assert run("sign", PATH, RENDER_SIGNING_KEYS=key).returncode == 0


def test_no_two_keys_are_alike(key):
    assert run("make").stdout.strip() != key


def test_an_address_is_signed_for_ever(key):
    signed = run("sign", PATH, RENDER_SIGNING_KEYS=key).stdout.strip()
    assert re.fullmatch(r"/iiif/3/\S+/full/%5Emax/0/default\.webp\?kid=\w+&sig=[\w-]{43}", signed)


def test_the_host_is_kept_and_not_signed(key):
    signed = [
        run("sign", f"{host}{PATH}", RENDER_SIGNING_KEYS=key).stdout.strip()
        for host in ("", "https://pictures.example", "http://127.0.0.1:8000")
    ]
    assert signed[1] == f"https://pictures.example{signed[0]}"
    assert signed[2] == f"http://127.0.0.1:8000{signed[0]}"


def test_what_the_public_address_has_before_our_paths_is_not_signed(key):
    plain = run("sign", PATH, RENDER_SIGNING_KEYS=key).stdout.strip()
    public = "https://pictures.example/shop"
    signed = run("sign", public + PATH, RENDER_SIGNING_KEYS=key, RENDER_PUBLIC_URL=public)
    assert signed.stdout.strip() == public + plain


@pytest.mark.parametrize("expires", ["90s", "15m", "1h", "30d"])
def test_an_address_is_signed_for_a_while(key, expires):
    signed = run("sign", PATH, "--expires", expires, RENDER_SIGNING_KEYS=key).stdout
    assert int(re.search(r"exp=(\d+)", signed)[1]) % 300 == 0


@pytest.mark.parametrize("expires", ["1", "h", "1.5h", "-1h", "1w", "10000d", "\u0661h", "0s"])
def test_a_time_that_is_none_is_refused(key, expires):
    done = run("sign", PATH, f"--expires={expires}", RENDER_SIGNING_KEYS=key)
    assert (done.returncode, done.stdout) == (1, "")
    assert "e.g. 15m, 1h, 30d" in done.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/r/ring/hero/0123456789/-/800.webp", "What is signed is /iiif/3/"),
        ("/iiif/3/ring~hero~0123456789~-/info.json", "What is signed is /iiif/3/"),
        ("/iiif/3/ring/full/max/0/default.webp", "There is no image 'ring'"),
        ("/iiif/3/ring~hero~0123456789~-/full/max/0/default.tif", "extension 'tif'"),
        ("/iiif/3/ring~hero~0123456789~-/full/1e9,/0/default.webp", "size is '1e9,'"),
        (f"{PATH}?w=3", "already has a query"),
    ],
)
def test_what_would_be_refused_however_well_signed_is_not_signed(key, url, said):
    done = run("sign", url, RENDER_SIGNING_KEYS=key)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr


def test_nothing_is_signed_without_a_key():
    done = run("sign", PATH)
    assert done.returncode == 1
    assert "RENDER_SIGNING_KEYS is empty" in done.stderr


def test_a_malformed_key_is_refused_and_not_shown():
    done = run("sign", PATH, RENDER_SIGNING_KEYS="k1:tooshorttobeakey")
    assert done.returncode == 1
    assert "RENDER_SIGNING_KEYS" in done.stderr
    assert "tooshort" not in done.stderr


def test_a_key_is_not_listed(key):
    listed = subprocess.run(
        [sys.executable, "-m", "render_service", "settings"],
        env={**os.environ, "RENDER_SIGNING_KEYS": key},
        capture_output=True,
        text=True,
        check=True,
    )
    assert key.partition(":")[2] not in listed.stdout


def test_a_token_is_what_the_setting_takes():
    made = run("token", "erp", "--scope", "jobs:read", "--scope", "admin").stdout.strip()
    assert re.fullmatch(r"erp:[A-Za-z0-9_-]{43}:jobs:read\+admin", made)
    assert parse_tokens(made)[0].caller.name == "erp"


def test_a_token_of_nobody_is_refused():
    refused = run("token", "Über uns")
    assert refused.returncode == 1
    assert "does not begin token 1 with a name" in refused.stderr
