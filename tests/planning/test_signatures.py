"""Signed addresses: what holds, what does not, and what is never said."""

import base64
import hashlib
import hmac
from urllib.parse import parse_qs

import pytest

from render_service.errors import BadSignature, ExpiredSignature, InvalidSetting
from render_service.planning.signatures import (
    BUCKET_S,
    LEEWAY_S,
    Signer,
    SigningKey,
    parse_keys,
    spell_key,
)

OLD = SigningKey(id="old", secret=bytes(range(32)))
NEW = SigningKey(id="new", secret=bytes(range(32, 64)))
PATH = "/iiif/3/ring~hero~0123456789~-/full/^max/0/default.jpg"
NOW_S = 1_800_000_000


def query(text):
    return {key: values[0] for key, values in parse_qs(text).items()}


def test_what_was_signed_holds_for_ever():
    signed = query(Signer([NEW]).sign(PATH))
    assert Signer([NEW]).verify(PATH, signed, NOW_S) is None


def test_a_signature_is_the_hmac_that_anybody_can_compute():
    signed = query(Signer([NEW]).sign(PATH))
    message = f"render-service signed path 1\nnew\n\n{PATH}".encode()
    digest = hmac.new(NEW.secret, message, hashlib.sha256).digest()
    assert signed["sig"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_an_expiry_is_rounded_up_so_that_one_address_serves_a_while():
    signer = Signer([NEW])
    bucket = NOW_S // BUCKET_S * BUCKET_S
    signed = {signer.sign(PATH, expires_s=bucket + s) for s in (1, 2, BUCKET_S - 1, BUCKET_S)}
    assert len(signed) == 1
    assert query(signed.pop())["exp"] == str(bucket + BUCKET_S)


@pytest.mark.parametrize("late_s", [-1000, 0, LEEWAY_S])
def test_it_holds_until_its_expiry_and_a_little_longer(late_s):
    signed = query(Signer([NEW]).sign(PATH, expires_s=NOW_S))
    expiry = int(signed["exp"])
    assert Signer([NEW]).verify(PATH, signed, expiry + late_s) == expiry


def test_after_that_it_has_expired():
    signed = query(Signer([NEW]).sign(PATH, expires_s=NOW_S))
    with pytest.raises(ExpiredSignature):
        Signer([NEW]).verify(PATH, signed, int(signed["exp"]) + LEEWAY_S + 1)


def test_the_first_of_two_keys_signs_and_both_hold():
    before, during = Signer([OLD]), Signer([NEW, OLD])
    assert query(during.sign(PATH))["kid"] == "new"
    for signed in (before.sign(PATH), during.sign(PATH)):
        assert during.verify(PATH, query(signed), NOW_S) is None


def test_a_key_that_is_gone_holds_nothing_any_more():
    with pytest.raises(BadSignature):
        Signer([NEW]).verify(PATH, query(Signer([OLD]).sign(PATH)), NOW_S)


@pytest.mark.parametrize(
    "change",
    [
        {"sig": "A" * 43},
        {"sig": ""},
        {"sig": "\u00e9"},
        {"kid": "old"},
        {"kid": ""},
        {"exp": "99999999999"},
        {"exp": ""},
        {"exp": "-1"},
        {"exp": "\u0661"},
    ],
)
def test_no_part_of_it_can_be_changed(change):
    signed = query(Signer([NEW, OLD]).sign(PATH, expires_s=NOW_S))
    with pytest.raises(BadSignature):
        Signer([NEW, OLD]).verify(PATH, {**signed, **change}, NOW_S)


@pytest.mark.parametrize("missing", ["sig", "kid", "exp"])
def test_no_part_of_it_can_be_left_out(missing):
    signed = query(Signer([NEW]).sign(PATH, expires_s=NOW_S))
    del signed[missing]
    with pytest.raises(BadSignature):
        Signer([NEW]).verify(PATH, signed, NOW_S)


def test_an_expiry_cannot_be_added_to_what_never_expires():
    signed = query(Signer([NEW]).sign(PATH))
    with pytest.raises(BadSignature):
        Signer([NEW]).verify(PATH, {**signed, "exp": ""}, NOW_S)


@pytest.mark.parametrize("other", [PATH + "x", PATH.replace("hero", "top"), PATH + "\n", ""])
def test_it_is_for_no_other_path(other):
    signed = query(Signer([NEW]).sign(PATH))
    with pytest.raises(BadSignature):
        Signer([NEW]).verify(other, signed, NOW_S)


def test_without_keys_nothing_holds():
    with pytest.raises(BadSignature):
        Signer([]).verify(PATH, query(Signer([NEW]).sign(PATH)), NOW_S)


def test_the_signature_of_a_key_of_zeros_does_not_hold_for_an_unknown_id():
    zeros = SigningKey(id="unknown", secret=bytes(32))
    with pytest.raises(BadSignature):
        Signer([NEW]).verify(PATH, query(Signer([zeros]).sign(PATH)), NOW_S)


def test_without_keys_nothing_is_signed():
    with pytest.raises(InvalidSetting, match="RENDER_SIGNING_KEYS is empty"):
        Signer([]).sign(PATH)


def test_keys_survive_the_way_there_and_back():
    assert parse_keys(f"{spell_key(NEW)},{spell_key(OLD)}") == (NEW, OLD)
    assert parse_keys("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "secretsecretsecret",
        "k1:",
        ":" + "A" * 43,
        "k1:" + "A" * 42,
        "k1:" + "A" * 42 + "!",
        f"{spell_key(NEW)},",
        f"{spell_key(NEW)},{spell_key(NEW)}",
        f"{spell_key(NEW)},{spell_key(OLD)},x:{'A' * 43}",
        "k\u0661:" + "A" * 43,
    ],
)
def test_a_malformed_key_is_refused_and_not_shown(text):
    with pytest.raises(InvalidSetting) as refused:
        parse_keys(text)
    said = str(refused.value)
    assert "RENDER_SIGNING_KEYS" in said
    assert not any(
        part and part in said for part in text.replace(":", ",").split(",") if len(part) > 5
    )


def test_a_key_shows_its_id_alone():
    assert repr(NEW) == "SigningKey(id='new')"
