"""Quotes: signed, verified without asking anybody, and refused for any other token."""

import base64
import json
from datetime import UTC, datetime

import jwt
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.errors import BadQuote, ExpiredQuote, InvalidSetting, QuoteTooLarge, RateMissing
from render_service.planning.signatures import Signer, SigningKey
from render_service.products.price import LineKind
from render_service.products.quotes import (
    LIFETIME_S_MAX,
    TOKEN_BYTES_MAX,
    QuoteSigner,
    derive_quote_key,
    make_quote,
)
from tests.products.builders import (
    AT,
    PRODUCT,
    RATES,
    SIZES,
    VALID_SELECTIONS,
    build_product,
    configured,
)

NOW_S = int(AT.timestamp())
KEY, OTHER = (SigningKey(id=name, secret=name.encode() * 16) for name in ("k1", "k2"))


def signer(*keys, issuer="https://pictures.example", audience="shop"):
    return QuoteSigner(keys or (KEY,), issuer=issuer, audience=audience)


def quote(product=PRODUCT, size=None, lifetime_s=3600, **selection):
    return make_quote(
        product,
        7,
        configured(product, size, **selection),
        RATES,
        issued_s=NOW_S,
        lifetime_s=lifetime_s,
    )


def claims(**changes):
    """The claims of a quote, as they are signed."""
    found = jwt.decode(signer().sign(quote()), options={"verify_signature": False})
    found.update(changes)
    return {name: value for name, value in found.items() if value is not None}


def forge(payload=None, secret=None, **header):
    """A token like ours under our own key, but for what is named."""
    head = {"typ": "quote+jwt", "kid": "k1", "alg": "HS256", **header}
    secret = derive_quote_key(KEY.secret) if secret is None else secret
    return jwt.encode(payload or claims(), secret, algorithm=head["alg"], headers=head)


def refused(token, by=None):
    with pytest.raises(BadQuote) as caught:
        (by or signer()).verify(token, NOW_S)
    return caught.value.facts["reason"]


@given(VALID_SELECTIONS, SIZES, st.integers(1, LIFETIME_S_MAX))
def test_a_signed_quote_verifies_to_the_same_quote(selection, size, lifetime_s):
    given_out = quote(size=size, lifetime_s=lifetime_s, **selection)

    assert signer().verify(signer().sign(given_out), NOW_S) == given_out


def test_a_quote_says_what_was_priced_and_by_which_rates():
    found = quote(size="52.5", metal="silver", gem="ruby")

    assert (found.product, found.revision, found.composition) == ("ring", 7, "ring")
    assert found.configuration == {"metal": "silver", "shape": "round", "gem": "ruby"}
    assert found.hash == configured(metal="silver", gem="ruby").hash
    assert (found.size, found.sku) == ("52.5", "RG-AG-RR-52.5")
    assert sum(line.amount_minor for line in found.lines) == found.total_minor
    assert [rate.key for rate in found.rates] == ["silver", "ruby/round", "standard"]
    assert (found.issued_s, found.expires_s) == (NOW_S, NOW_S + 3600)


def test_a_quote_is_priced_at_the_instant_it_is_issued():
    with pytest.raises(RateMissing, match="2025-12-31T23:59:59Z"):
        make_quote(
            PRODUCT,
            1,
            configured(),
            RATES,
            issued_s=int(datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()),
            lifetime_s=60,
        )


@pytest.mark.parametrize("lifetime_s", [0, -1, LIFETIME_S_MAX + 1])
def test_a_quote_has_a_lifetime_within_bounds(lifetime_s):
    with pytest.raises(ValueError, match="counts for 1 to"):
        quote(lifetime_s=lifetime_s)


def test_a_token_is_a_jwt_with_the_times_issuer_and_audience_of_the_standard():
    token = signer().sign(quote())

    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "quote+jwt", "kid": "k1"}
    found = claims()
    assert {name: found[name] for name in ("iss", "aud", "iat", "exp")} == {
        "iss": "https://pictures.example",
        "aud": "shop",
        "iat": NOW_S,
        "exp": NOW_S + 3600,
    }


def test_forging_with_the_right_key_and_nothing_changed_is_accepted():
    # So that what the tests below refuse is refused for what they change.
    assert signer().verify(forge(), NOW_S) == quote()


def test_the_first_key_signs_and_both_verify():
    token = signer(OTHER).sign(quote())

    assert signer(KEY, OTHER).verify(token, NOW_S) == quote()
    assert jwt.get_unverified_header(signer(KEY, OTHER).sign(quote()))["kid"] == "k1"


def test_a_key_that_was_retired_verifies_nothing():
    assert "no key is known by its kid, 'k2'" in refused(signer(OTHER).sign(quote()))


def test_a_key_under_anothers_id_verifies_nothing():
    assert "signature" in refused(forge(secret=derive_quote_key(OTHER.secret)))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_another_algorithm_is_refused(algorithm):
    assert f"its alg is '{algorithm}'" in refused(forge(alg=algorithm))


def test_no_algorithm_is_refused():
    unsigned = forge(secret="", alg="none")

    assert unsigned.endswith(".")
    assert "its alg is 'none'" in refused(unsigned)
    assert "its alg is 'none'" in refused(unsigned + "A" * 43)


@pytest.mark.parametrize("kind", ["JWT", "at+jwt", "QUOTE+JWT", "", None])
def test_another_type_is_refused(kind):
    assert "its typ is" in refused(forge(typ=kind))


def test_a_header_with_other_members_is_refused():
    assert "other members" in refused(forge(x5u="https://evil.example"))


def test_another_audience_is_refused():
    assert refused(signer(audience="other").sign(quote())) == "it is not for shop"


def test_an_audience_among_others_is_refused():
    assert refused(forge(claims(aud=["shop", "other"]))) == "it is not for shop"


def test_another_issuer_is_refused():
    assert "not from https://pictures" in refused(signer(issuer="https://x.example").sign(quote()))


@pytest.mark.parametrize("kid", ["k9", "", "K1", "../k1"])
def test_an_unknown_key_is_refused(kid):
    assert "no key is known by its kid" in refused(forge(kid=kid))


def test_a_quote_counts_until_the_second_it_expires():
    token = signer().sign(quote(lifetime_s=60))

    assert signer().verify(token, NOW_S + 59).expires_s == NOW_S + 60
    with pytest.raises(ExpiredQuote, match="2026-11-01T00:01:00Z") as caught:
        signer().verify(token, NOW_S + 60)
    assert caught.value.facts == {"expires_s": NOW_S + 60}


def test_a_forged_quote_is_not_told_that_it_expired():
    token = forge(claims(exp=1), secret=derive_quote_key(OTHER.secret))

    assert "signature" in refused(token)


def test_a_changed_payload_is_refused():
    head, payload, signature = signer().sign(quote()).split(".")
    body = json.loads(base64.urlsafe_b64decode(payload + "=="))
    body["quote"]["total_minor"] = 1
    changed = base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")

    assert refused(f"{head}.{changed}.{signature}") == "its signature does not hold for it"


@given(st.data())
def test_a_token_with_any_character_changed_is_refused(data):
    token = signer().sign(quote())
    # The last character of a signature holds two bits that say nothing.
    place = data.draw(st.integers(0, len(token) - 2))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    changed = token[:place] + other + token[place + 1 :]

    if changed != token:
        refused(changed)


def test_a_token_over_16_kb_is_not_even_read():
    assert "over 16384 bytes" in refused("A" * (TOKEN_BYTES_MAX + 1))
    assert "not a JWT" in refused("A" * TOKEN_BYTES_MAX)


def test_a_quote_that_would_make_such_a_token_is_not_signed():
    part = {"kind": "charge", "title": "é" * 100, "amount_minor": 1}
    product = build_product({"pricing.parts": [part] * 30})

    with pytest.raises(QuoteTooLarge, match="may take 16384"):
        signer().sign(quote(product))


@pytest.mark.parametrize("name", ["iss", "aud", "iat", "exp", "quote"])
def test_a_token_without_one_of_its_claims_is_refused(name):
    assert refused(forge(claims(**{name: None})))


@pytest.mark.parametrize(
    "changes",
    [
        {"quote": "x"},
        {"quote": {}},
        {"exp": "soon"},
        {"exp": None, "quote": {**claims()["quote"], "expires_s": 9}},
        {"quote": {**claims()["quote"], "discount": 5}},
        {"quote": {**claims()["quote"], "total_minor": "5"}},
    ],
)
def test_a_payload_of_another_shape_is_refused(changes):
    assert refused(forge(claims(**changes)))


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b", "a..c", "a.b.c.d", "é.é.é", "a.b.c\n", "a" * 50]
)
def test_what_is_no_token_is_refused(token):
    assert refused(token) == "it is not a JWT"


@pytest.mark.parametrize("header", ["AAAA", "a", "e30x", "W10"])
def test_a_header_that_is_no_json_object_is_refused(header):
    assert refused(f"{header}.AAAA.{'A' * 43}") == "its header cannot be read"


def test_a_signature_that_is_left_out_is_refused():
    assert refused(signer().sign(quote()).rpartition(".")[0] + ".")


def test_without_a_key_nothing_is_signed_and_nothing_holds():
    none = QuoteSigner((), issuer="https://pictures.example", audience="shop")

    with pytest.raises(InvalidSetting, match="RENDER_SIGNING_KEYS is empty"):
        none.sign(quote())
    assert "no key is known" in refused(signer().sign(quote()), by=none)


def test_the_signature_of_an_address_never_passes_for_a_quote():
    head, payload, _ = signer().sign(quote()).split(".")
    signed = Signer([KEY]).sign(f"{head}.{payload}").rpartition("sig=")[2]

    assert refused(f"{head}.{payload}.{signed}") == "its signature does not hold for it"


def test_the_signing_secret_itself_signs_no_quote():
    assert "signature" in refused(forge(secret=KEY.secret))


def test_the_key_of_quotes_never_changes_from_release_to_release():
    # Quotes that are out would not be honoured.
    assert (
        derive_quote_key(bytes(32)).hex()
        == "bce9de6c93a47382975ac2ca4ba3867eadcad4c6b5d7699071e20ac72cd4d810"
    )


def test_a_quote_shows_neither_cost_nor_markup():
    product = build_product({"pricing.markup_bp": 12_345})
    token = signer().sign(quote(product))
    told = msgspec.json.encode(jwt.decode(token, options={"verify_signature": False}))

    assert b"12345" not in told
    assert b"7800000" not in told


def test_a_quote_that_was_rounded_holds_the_line():
    product = build_product({"pricing.rounding": {"to_minor": 5_000, "mode": "up"}})

    assert quote(product).lines[-1].kind is LineKind.ROUNDING
    assert signer().verify(signer().sign(quote(product)), NOW_S) == quote(product)
