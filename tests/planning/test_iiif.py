"""Addresses of the IIIF Image API, both ways, and what its words come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.errors import FormatNotOffered, MalformedPath, UnknownIdentifier
from render_service.planning.iiif import (
    Identifier,
    build_identifier,
    parse_identifier,
    parse_image_request,
)
from render_service.planning.iiif_part import (
    Canvas,
    build_part_path,
    is_announced,
    resolve_part,
)
from render_service.planning.plan import Window

CANVAS = Canvas(width_px=1600, height_px=1200, pixels_max=2**24)
IDENTIFIER = "ring~hero~0123456789~metal=gold,gem=ruby"


def part(path, canvas=CANVAS):
    return resolve_part(parse_image_request(path.split("/")), canvas)


def canonical(path, canvas=CANVAS):
    return build_part_path(part(path, canvas), canvas)


def size(path):
    asked = part(path).request
    return asked.width_px, asked.height_px


def box(path):
    window = part(path).request.window
    return window.left_px, window.top_px, window.width_px, window.height_px


@pytest.mark.parametrize("identifier", [IDENTIFIER, "ring~hero~0123456789~-"])
def test_an_identifier_survives_the_way_there_and_back(identifier):
    assert build_identifier(parse_identifier(identifier)) == identifier


def test_an_identifier_names_what_it_is_of():
    assert parse_identifier(IDENTIFIER) == Identifier(
        composition="ring",
        view="hero",
        version="0123456789",
        selection=(("metal", "gold"), ("gem", "ruby")),
    )


@pytest.mark.parametrize(
    "given_",
    [
        "",
        "ring",
        "ring~hero~0123456789",
        "ring~hero~0123456789~",
        "ring~hero~012345678~-",
        "ring~hero:stone~0123456789~-",
        "ring~hero~0123456789~metal=gold,metal=rose",
        "ring~hero~0123456789~metal",
        "ring~hero~0123456789~metal=gold,",
        "ring~hero~\u0660123456789~-",
        "RING~hero~0123456789~-",
        "../ring~hero~0123456789~-",
        "ring%2Fhero~0123456789~-",
        IDENTIFIER + "\n",
    ],
)
def test_what_is_no_identifier_is_not_found(given_):
    with pytest.raises(UnknownIdentifier):
        parse_identifier(given_)


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("full", (0, 0, 1600, 1200)),
        ("square", (200, 0, 1200, 1200)),
        ("0,0,100,50", (0, 0, 100, 50)),
        ("1500,1100,500,500", (1500, 1100, 100, 100)),
        ("pct:25,25,50,50", (400, 300, 800, 600)),
        ("pct:0,0,100,100", (0, 0, 1600, 1200)),
        ("pct:41.6,7.5,66.6,100", (666, 90, 934, 1110)),
        ("00016,0,1,1", (16, 0, 1, 1)),
    ],
)
def test_a_region_is_cut_from_the_canvas(region, expected):
    assert box(f"{region}/max/0/default.jpg") == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("max", (1600, 1200)),
        ("800,", (800, 600)),
        (",300", (400, 300)),
        ("pct:50", (800, 600)),
        ("pct:33.3", (533, 400)),
        ("200,200", (200, 200)),
        ("!800,800", (800, 600)),
        ("!1600,300", (400, 300)),
        ("^3000,", (3000, 2250)),
        ("^pct:150", (2400, 1800)),
        ("^!3072,3072", (3072, 2304)),
        ("^max", (3072, 2304)),
    ],
)
def test_a_size_is_held_against_the_region(asked, expected):
    assert size(f"full/{asked}/0/default.jpg") == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("full/max/0/default.jpg", "full/max/0/default.jpg"),
        ("0,0,1600,1200/1600,1200/0/default.jpg", "full/max/0/default.jpg"),
        ("full/pct:50/360/color.webp", "full/800,600/0/default.webp"),
        ("full/^800,/0/default.jpg", "full/800,600/0/default.jpg"),
        ("full/^1600,/0/default.jpg", "full/max/0/default.jpg"),
        ("full/^2000,/!90.0/gray.png", "full/^2000,1500/!90/gray.png"),
        ("full/^3072,/0/default.jpg", "full/^max/0/default.jpg"),
        ("pct:0,0,50,50/max/180/bitonal.avif", "0,0,800,600/max/180/bitonal.avif"),
        ("square/!100,200/0/default.jpg", "200,0,1200,1200/100,100/0/default.jpg"),
        ("9,9,9999,9999/max/0/default.jpg", "9,9,1591,1191/max/0/default.jpg"),
    ],
)
def test_every_picture_has_one_canonical_spelling(path, expected):
    assert canonical(path) == expected


@given(
    st.tuples(*[st.integers(0, 1700)] * 4),
    st.tuples(st.sampled_from(["", "^"]), st.integers(1, 3100), st.integers(1, 3100)),
    st.sampled_from(["0", "90", "!180", "!270"]),
)
def test_a_canonical_spelling_is_its_own(region, size_, rotation):
    caret, wide, high = size_
    path = f"{','.join(map(str, region))}/{caret}{wide},{high}/{rotation}/gray.webp"
    try:
        spelled = canonical(path)
    except MalformedPath:
        return
    assert canonical(spelled) == spelled
    assert part(spelled) == part(path)


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("region", "full,/max/0/default.jpg"),
        ("region", "0,0,0,10/max/0/default.jpg"),
        ("region", "1600,0,10,10/max/0/default.jpg"),
        ("region", "-1,0,10,10/max/0/default.jpg"),
        ("region", "1e3,0,10,10/max/0/default.jpg"),
        ("region", "\u0661,0,10,10/max/0/default.jpg"),
        ("region", "pct:NaN,0,10,10/max/0/default.jpg"),
        ("region", "pct:inf,0,10,10/max/0/default.jpg"),
        ("region", f"pct:{'9' * 400},0,10,10/max/0/default.jpg"),
        ("region", f"pct:0.{'9' * 400},0,10,10/max/0/default.jpg"),
        ("region", "100000,0,10,10/max/0/default.jpg"),
        ("region", "pct:200,0,10,10/max/0/default.jpg"),
        ("size", "full/full/0/default.jpg"),
        ("size", "full/,/0/default.jpg"),
        ("size", "full/0,/0/default.jpg"),
        ("size", "full/!100,/0/default.jpg"),
        ("size", "full/1601,/0/default.jpg"),
        ("size", "full/,1201/0/default.jpg"),
        ("size", "full/pct:100.01/0/default.jpg"),
        ("size", "full/pct:0.01/0/default.jpg"),
        ("size", "full/!1700,1700/0/default.jpg"),
        ("size", "full/^3073,/0/default.jpg"),
        ("size", "full/^99999,99999/0/default.jpg"),
        ("size", "full/100000,/0/default.jpg"),
        ("size", "full/-800,/0/default.jpg"),
        ("size", "full/1e9,/0/default.jpg"),
        ("size", "full/^^max/0/default.jpg"),
        ("rotation", "full/max/45/default.jpg"),
        ("rotation", "full/max/-90/default.jpg"),
        ("rotation", "full/max/450/default.jpg"),
        ("rotation", "full/max/!!90/default.jpg"),
        ("rotation", "full/max/NaN/default.jpg"),
        ("quality", "full/max/0/native.jpg"),
        ("quality and format", "full/max/0/default"),
    ],
)
def test_a_malformed_word_is_refused_by_its_name(field, path):
    with pytest.raises(MalformedPath) as refused:
        part(path)
    assert refused.value.facts["part"] == field


@pytest.mark.parametrize("extension", ["tif", "JPG", "", "jpg.jpg", "jp2"])
def test_a_format_that_is_not_ours_is_refused(extension):
    with pytest.raises(FormatNotOffered):
        part(f"full/max/0/default.{extension}")


def tiles(canvas):
    """Every tile as viewers compute it: the API's implementation notes."""
    for scale in canvas.scale_factors:
        pitch = canvas.tile_px * scale
        for top in range(0, canvas.height_px, pitch):
            for left in range(0, canvas.width_px, pitch):
                wide = min(pitch, canvas.width_px - left)
                high = min(pitch, canvas.height_px - top)
                yield f"{left},{top},{wide},{high}/{-(-wide // scale)},{-(-high // scale)}"


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_every_tile_and_size_of_any_canvas_is_announced(wide, high):
    canvas = Canvas(width_px=wide, height_px=high, pixels_max=2**26)
    sizes = [f"full/{w},{h}" for w, h in canvas.sizes]

    for place in [*tiles(canvas), *sizes, "full/max"]:
        assert is_announced(part(f"{place}/0/default.jpg", canvas), canvas)


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_a_tile_is_never_larger_than_512_and_the_last_scale_is_one_tile(wide, high):
    canvas = Canvas(width_px=wide, height_px=high, pixels_max=2**30)
    assert canvas.tile_px <= 512
    assert canvas.tile_px * canvas.scale_factors[-1] >= max(wide, high)


@pytest.mark.parametrize(
    "path",
    [
        "full/801,601/0/default.jpg",
        "full/max/90/default.jpg",
        "full/max/!0/default.jpg",
        "full/max/0/gray.jpg",
        "1,0,400,400/400,400/0/default.jpg",
        "0,0,400,400/399,400/0/default.jpg",
        "0,0,400,401/400,401/0/default.jpg",
        "full/^max/0/default.jpg",
        "square/max/0/default.jpg",
    ],
)
def test_anything_else_is_not_announced(path):
    assert not is_announced(part(path), CANVAS)


def test_what_is_announced_is_finite():
    count = len(list(tiles(CANVAS))) + len(CANVAS.sizes)
    assert count < 40


@given(
    st.tuples(st.integers(1, 9000), st.integers(1, 9000)),
    st.sampled_from(["max", "^max", "^!99999,99999", "^99999,", "^pct:99999"]),
)
def test_no_picture_is_larger_than_the_bounds(canvas_size, asked):
    canvas = Canvas(width_px=canvas_size[0], height_px=canvas_size[1], pixels_max=10**7)
    try:
        drawn = part(f"full/{asked}/0/default.png", canvas).request
    except MalformedPath:
        return
    assert drawn.width_px * drawn.height_px <= canvas.area_max_px <= 10**7
    assert max(drawn.width_px, drawn.height_px) <= canvas.side_max_px


def test_the_whole_canvas_is_the_whole_window():
    assert part("full/max/0/default.jpg").request.window == Window(
        left_px=0, top_px=0, width_px=1600, height_px=1200
    )
