import json

import pytest
import pyvips

from loadtests.answers import IMMUTABLE, Answer
from loadtests.decoding import decode_picture
from loadtests.invariants import INVARIANTS, SHOWN_MAX, Checker

URL = "/r/ring/hero/0123456789/metal=gold,gem=ruby/160.webp"


def encoded(width_px=160, suffix=".webp"):
    return pyvips.Image.black(width_px, 120, bands=3).write_to_buffer(suffix)


BODY = encoded()


def picture(url=URL, body=BODY, *, headers=None, **fields):
    right = {
        "cache-control": IMMUTABLE,
        "content-type": "image/webp",
        "content-length": str(len(body)),
        "etag": '"one"',
    }
    return Answer(url=url, status=200, headers={**right, **(headers or {})}, body=body, **fields)


def problem(status, *, headers=None, members=None, url="/v1/nothing", **fields):
    right = {"content-type": "application/problem+json", "cache-control": "no-store"}
    document = {"status": status, "reason": "queue", **(members or {})}
    return Answer(
        url=url,
        status=status,
        headers={**right, **(headers or {})},
        body=json.dumps(document).encode(),
        **fields,
    )


REFUSED = {"retry-after": "2"}

RIGHT = {
    "a picture": picture(),
    "a picture, percent-encoded": picture(URL.replace("=", "%3D")),
    "a refusal": problem(503, headers=REFUSED),
    "a problem": problem(404),
    "a 304 for who sent the ETag": Answer(
        url=URL, status=304, headers={"etag": '"one"'}, if_none_match='"one"'
    ),
    "a 304 of another route": Answer(
        url="/v1/compositions", status=304, headers={"etag": '"x"'}, if_none_match='"x"'
    ),
    "a redirect for ever": Answer(url=URL, status=308, headers={"cache-control": IMMUTABLE}),
    "JSON": Answer(
        url="/v1/x", status=200, headers={"content-type": "application/json"}, body=b"{}"
    ),
    "the head of a picture": picture(
        method="HEAD", body=b"", headers={"content-length": str(len(BODY))}
    ),
    "what was expected": problem(422, expected=frozenset((422,))),
}

WRONG = [
    ("answered", Answer(url=URL, status=0, error="reset by peer"), "reset by peer"),
    ("honest", problem(500), "answered 500"),
    ("honest", problem(502), "answered 502"),
    ("honest", problem(503), "Retry-After ''"),
    ("honest", problem(503, headers={"retry-after": "0"}), "Retry-After '0'"),
    ("honest", problem(503, headers={"retry-after": "soon"}), "Retry-After 'soon'"),
    ("honest", problem(503, headers=REFUSED, members={"reason": ""}), "without a reason"),
    ("honest", problem(503, headers={**REFUSED, "cache-control": "max-age=9"}), "may keep"),
    ("problem", problem(404, headers={"cache-control": IMMUTABLE}), "immutable"),
    ("problem", problem(404, headers={"content-type": "text/html"}), "text/html"),
    ("problem", problem(404, members={"status": 200}), "says otherwise"),
    ("expected", picture(expected=frozenset((403,))), "answered 200; right is 403"),
    (
        "json",
        Answer(url="/v1/x", status=200, headers={"content-type": "application/json"}, body=b"{"),
        "that is not",
    ),
    ("immutable", picture(headers={"cache-control": "max-age=60"}), "cache-control"),
    ("immutable", picture(headers={"content-type": "image/png"}), "content-type"),
    ("immutable", picture(headers={"vary": "Accept"}), "vary"),
    ("immutable", picture(headers={"set-cookie": "a=b"}), "set-cookie"),
    ("immutable", picture(headers={"etag": 'W/"one"'}), "strong"),
    ("immutable", picture(headers={"content-length": "7"}), "says 7"),
    ("revalidated", Answer(url=URL, status=304, headers={"etag": '"one"'}), "sent no ETag"),
    (
        "revalidated",
        Answer(url=URL, status=304, headers={"etag": '"two"'}, if_none_match='"one"'),
        '"two"',
    ),
]


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_not_complained_about(name):
    checker = Checker()
    assert checker.see(RIGHT[name]) is None
    assert checker.sentences == []


@pytest.mark.parametrize(("invariant", "answer", "words"), WRONG)
def test_what_breaks_an_invariant_is_told_in_a_sentence_with_the_url(invariant, answer, words):
    checker = Checker()
    assert checker.see(answer) == invariant
    (sentence,) = checker.sentences
    assert words in sentence
    assert answer.url in sentence


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (picture(headers={"etag": '"two"'}), "had"),
        (picture(body=encoded(160, ".webp[Q=10]") + b"\0"), "other bytes"),
        (picture(URL.replace("=", "%3D"), headers={"etag": '"two"'}), "had"),
        (picture("/iiif/3/x/full/160,/0/default.webp", b"\0", picture=URL), "other bytes"),
    ],
)
def test_a_picture_that_is_another_one_the_second_time_is_seen(other, words):
    checker = Checker()
    checker.see(picture())
    assert checker.see(other) == "same"
    assert words in checker.sentences[0]
    assert other.url in checker.sentences[0]


def test_two_pictures_may_be_the_same():
    checker = Checker()
    checker.see(picture())
    assert checker.see(picture(URL.replace("ruby", "opal"))) is None


def test_pictures_of_one_key_have_one_etag():
    checker = Checker()
    other = URL.replace("ruby", "opal")
    checker.see(picture())
    checker.see(picture(other, headers={"etag": '"two"'}))
    assert checker.check_keys([(URL, "k1"), (other, "k2")]) == 2
    assert checker.sentences == []
    checker.check_keys([(URL, "k1"), (other, "k1")])
    (sentence,) = checker.sentences
    assert URL in sentence
    assert other in sentence


@pytest.mark.parametrize(
    ("url", "body", "words"),
    [
        (URL, BODY[: len(BODY) // 2], "does not decode"),
        (URL, b"<html>", "does not decode"),
        (URL, b"", "does not decode"),
        (URL, encoded(suffix=".png"), "is image/png, not image/webp"),
        (URL, encoded(width_px=161), "161 pixels wide, not 160"),
    ],
)
def test_a_body_that_is_not_the_picture_is_seen_when_it_is_decoded(url, body, words):
    checker = Checker()
    checker.see(picture(url, body))
    assert checker.check_bodies(decode_picture) == 1
    (sentence,) = checker.sentences
    assert words in sentence
    assert url in sentence


@pytest.mark.parametrize("extension", ["avif", "webp", "jpg", "png"])
def test_every_format_decodes_to_what_it_is(extension):
    checker = Checker()
    url = URL.replace("webp", extension)
    kind = {"jpg": "jpeg"}.get(extension, extension)
    body = encoded(suffix=f".{extension}")
    checker.see(picture(url, body, headers={"content-type": f"image/{kind}"}))
    checker.check_bodies(decode_picture)
    assert checker.sentences == []


def test_the_sample_is_bounded_and_holds_early_and_late_bodies():
    checker = Checker(sample=20)
    for number in range(400):
        checker.see(picture(f"/r/ring/hero/0123456789/gem=g{number}/160.webp", b"broken"))
    assert checker.check_bodies(decode_picture) == 20
    numbers = [int(s.partition("gem=g")[2].partition("/")[0]) for s in checker.sentences[:-1]]
    assert min(numbers) < 200 < max(numbers)


def test_sentences_are_bounded_and_the_rest_is_counted():
    checker = Checker()
    for number in range(SHOWN_MAX + 5):
        checker.see(problem(500, url=f"/{number}"))
    assert len(checker.sentences) == SHOWN_MAX + 1
    assert "5 more" in checker.sentences[-1]


def test_a_long_url_is_cut_in_a_sentence():
    checker = Checker()
    checker.see(problem(500, url="/" + "x" * 70_000))
    assert len(checker.sentences[0]) < 300


def test_one_picture_drawn_for_attackers_is_one_too_many():
    checker = Checker()
    checker.check_renders(5, 5)
    assert checker.sentences == []
    checker.check_renders(5, 6)
    assert "from 5 to 6" in checker.sentences[0]


def test_every_invariant_has_its_sentence():
    assert {name for name, _, _ in WRONG} < set(INVARIANTS)
    assert all(INVARIANTS.values())
