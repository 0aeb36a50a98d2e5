"""Lists by attribute, counted by attribute, and searched among many: over HTTP."""

import httpx
import msgspec
import pytest

from tests.http.server import COMPOSITIONS, run_server
from tests.shop import PRODUCTS, import_folder, make_demo_shop

RING = msgspec.json.decode((PRODUCTS / "solitaire-ring.json").read_bytes())
ODD = "it's a \\ | & ! 'quote' = 100 %"
MANY = [
    ("one", {"collection": ["Aurora"], "style": ["halo"]}),
    ("two", {"collection": ["Aurora"], "style": ["vintage", "halo"]}),
    ("three", {"collection": ["Boreal"], "style": ["vintage"]}),
    ("four", {"collection": ["Boreal"], "style": ["modern"], "note": [ODD]}),
    ("five", {}),
]


@pytest.fixture(scope="module")
def shop(postgres_18_server, tmp_path_factory):
    selling = make_demo_shop(postgres_18_server)
    folder = tmp_path_factory.mktemp("products")
    for name, attributes in MANY:
        ring = RING | {"id": name, "title": f"Ring {name}", "attributes": attributes}
        (folder / f"{name}.json").write_bytes(msgspec.json.encode(ring))
    archived = RING | {"id": "gone", "status": "archived", "attributes": {"collection": ["Aurora"]}}
    (folder / "gone.json").write_bytes(msgspec.json.encode(archived))
    assert import_folder(selling["database_url"], folder).returncode == 0
    settings = {**selling, "file_tier_bytes": 0, "raster_store_bytes": 0}
    with (
        run_server(COMPOSITIONS, tmp_path_factory.mktemp("shop"), **settings) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        yield client


def ids(shop, *pairs):
    answer = shop.get("/v1/products", params=pairs)
    assert answer.status_code == 200, answer.text
    return {product["id"] for product in answer.json()["products"]}


def facets(shop, *pairs):
    """Attribute → value → how many have it."""
    answer = shop.get("/v1/products", params=pairs).json()
    return {
        facet["attribute"]: {one["value"]: one["products"] for one in facet["values"]}
        for facet in answer["facets"]
    }


def test_values_of_one_attribute_are_alternatives_and_attributes_add_up(shop):
    aurora, boreal = ("attribute.collection", "Aurora"), ("attribute.collection", "Boreal")
    vintage = ("attribute.style", "vintage")
    assert ids(shop, aurora) == {"one", "two"}
    assert ids(shop, aurora, boreal) == {"one", "two", "three", "four"}
    assert ids(shop, aurora, boreal, vintage) == {"two", "three"}


def test_a_value_that_is_no_word_is_found_as_it_is(shop):
    assert ids(shop, ("attribute.note", ODD)) == {"four"}
    assert ids(shop, ("attribute.note", "' | 'style=halo")) == set()


@pytest.mark.parametrize(("name", "value"), [("colour", "red"), ("collection", "aurora")])
def test_what_no_product_has_is_an_empty_list(shop, name, value):
    assert ids(shop, (f"attribute.{name}", value)) == set()


def test_values_are_counted_and_the_most_frequent_come_first(shop):
    pairs = (("facets", "style,collection,nothing"),)
    counted = facets(shop, *pairs)
    assert counted["style"] == {"halo": 2, "vintage": 2, "modern": 1} | RING_STYLES
    assert counted["collection"] == {"Aurora": 2, "Boreal": 2, "Classics": 1}
    assert counted["nothing"] == {}
    values = [
        one["value"] for one in shop.get("/v1/products", params=pairs).json()["facets"][1]["values"]
    ]
    assert values == ["Aurora", "Boreal", "Classics"]


def test_what_is_asked_of_an_attribute_is_left_aside_where_its_values_are_counted(shop):
    aurora = ("attribute.collection", "Aurora")
    counted = facets(shop, aurora, ("facets", "collection,style"))
    assert counted["style"] == {"halo": 2, "vintage": 1}
    assert counted["collection"] == {"Aurora": 2, "Boreal": 2, "Classics": 1}
    both = facets(shop, aurora, ("attribute.style", "vintage"), ("facets", "collection,style"))
    assert both["collection"] == {"Aurora": 1, "Boreal": 1}
    assert both["style"] == {"halo": 2, "vintage": 1}


def test_facets_of_a_search_are_those_of_what_it_finds(shop):
    assert facets(shop, ("q", "two"), ("facets", "style")) == {"style": {"vintage": 1, "halo": 1}}
    assert ids(shop, ("q", "ring"), ("attribute.style", "halo")) == {"one", "two"}


def test_a_count_says_whether_it_is_of_all(shop):
    (facet,) = shop.get("/v1/products?facets=style").json()["facets"]
    assert (facet["counted"], facet["complete"]) == (6, True)


def test_the_next_page_is_of_the_same_list(shop):
    address = "/v1/products?limit=1&attribute.style=vintage&attribute.style=modern&sort=title"
    found = []
    while address:
        page = shop.get(address).json()
        found += [product["id"] for product in page["products"]]
        address = page["next"]
    assert found == ["four", "three", "two"]


def test_a_product_is_found_by_its_id(shop):
    assert ids(shop, ("q", "three")) == {"three"}
    answer = shop.get("/v1/products", params={"q": "solitaire-ring"})
    assert answer.json()["products"][0]["id"] == "solitaire-ring"


@pytest.mark.parametrize(
    "query",
    [
        "attribute.=x",
        "attribute.Style=x",
        "attribute.style=",
        "attribute.style=%00",
        "attribute.style=" + "a" * 101,
        "attribute=x",
        "&".join(f"attribute.style={n}" for n in range(31)),
        "facets=",
        "facets=a,b,c,d,e,f",
        "facets=style,",
        "facets=style&facets=style",
        "price=100",
    ],
)
def test_a_filter_that_is_none_is_refused(shop, query):
    answer = shop.get(f"/v1/products?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


RING_STYLES = dict.fromkeys(RING["attributes"]["style"], 1)
