"""Products and quotes over HTTP: the demo's, from a real database, and broken questions."""

import asyncio
import re

import asyncpg
import httpx
import msgspec
import pytest

from render_service.adapters.postgres import Database
from render_service.adapters.product_table import ProductTable
from render_service.products.parse import parse_product
from tests.http.server import COMPOSITIONS, run_server
from tests.servers import wait_until
from tests.shop import PRODUCTS, import_folder, make_demo_shop

RING = "solitaire-ring"


@pytest.fixture(scope="module")
def selling(postgres_18_server):
    """Settings of a service that sells the demo's products, and whatever these tests add."""
    return make_demo_shop(postgres_18_server)


@pytest.fixture(scope="module")
def url(selling):
    return selling["database_url"]


@pytest.fixture(scope="module")
def shop(selling, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    settings = {**selling, "file_tier_bytes": 0}
    with (
        run_server(COMPOSITIONS, folder, raster_store_bytes=0, **settings) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        yield client


def copy_ring(folder, **changes):
    """Write the demo's product with other values."""
    ring = msgspec.json.decode((PRODUCTS / f"{RING}.json").read_bytes())
    folder.mkdir(exist_ok=True)
    ring |= changes
    (folder / f"{ring['id']}.json").write_bytes(msgspec.json.encode(ring))


def ask_quote(shop, **asked):
    return shop.post("/v1/quotes", json={"product": RING, **asked})


def test_the_demo_is_listed_with_its_price_its_sku_and_its_picture(shop):
    answer = shop.get("/v1/products")
    (ring,) = (product for product in answer.json()["products"] if product["id"] == RING)
    assert ring["title"] == "Solitaire ring"
    assert ring["price"]["total_minor"] > 100_000
    assert ring["price"]["amount"] == f"{ring['price']['total_minor'] / 100:.2f}"
    assert re.fullmatch(r"[A-Z0-9.-]+", ring["sku"])
    assert shop.get(ring["image"]["src"]).status_code == 200


def test_a_product_says_what_can_be_chosen_in_the_language_that_is_asked_for(shop):
    ring = shop.get(f"/v1/products/{RING}", params={"language": "de-AT"}).json()
    assert (ring["language"], ring["title"]) == ("de", "Solitärring")
    assert [option["id"] for option in ring["options"]] == ["metal", "gem", "shape", "band"]
    assert "54" in ring["sizes"]["values"]
    assert set(ring["images"]) == {"hero", "top"}


def test_an_answer_is_not_sent_again_to_who_holds_it(shop):
    first = shop.get(f"/v1/products/{RING}")
    again = shop.get(f"/v1/products/{RING}", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_quote_adds_up_and_shows_what_it_is_of(shop):
    answer = ask_quote(
        shop, selection={"metal": "platinum-950", "background": "white"}, size="56.5"
    ).json()
    quote = answer["quote"]
    assert sum(line["amount_minor"] for line in quote["lines"]) == quote["total_minor"]
    assert quote["configuration"]["metal"] == "platinum-950"
    assert "background" not in quote["configuration"]
    assert quote["size"] == "56.5"
    assert "background=white" in answer["images"]["hero"]["src"]
    assert shop.get(answer["images"]["hero"]["src"]).status_code == 200
    assert answer["alt"] == "Solitaire ring: Platinum 950, Diamond, Round brilliant, Plain"
    assert quote["expires_s"] - quote["issued_s"] == 24 * 60 * 60


def test_a_quote_is_verified_while_the_database_is_away(shop, selling, tmp_path):
    token = ask_quote(shop).json()["token"]
    away = {
        **selling,
        "database_url": "postgresql://nobody@127.0.0.1:1/x",
        "database_wait_s": 0.2,
    }
    with run_server(COMPOSITIONS, tmp_path, **away) as server:
        verified = httpx.post(f"{server.url}/v1/quotes/verify", json={"token": token})
        assert verified.json()["sku"] == ask_quote(shop).json()["quote"]["sku"]
        refused = httpx.get(f"{server.url}/v1/products")
        assert (refused.status_code, refused.json()["type"]) == (
            503,
            "/problems/database-unavailable",
        )
        assert refused.headers["retry-after"] == "2"
        assert httpx.get(f"{server.url}/readyz").json() == {
            "status": "degraded",
            "unavailable": ["database"],
        }
        manifest = httpx.get(f"{server.url}/v1/compositions/{RING}")
        assert manifest.status_code == 200


def test_a_token_that_was_changed_is_refused(shop):
    token = ask_quote(shop).json()["token"]
    head, body, signature = token.split(".")
    changed = ".".join((head, body[:-4] + "AAAA", signature))
    answer = shop.post("/v1/quotes/verify", json={"token": changed})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/bad-quote")


@pytest.mark.parametrize(
    ("asked", "status", "problem"),
    [
        ({"size": "7"}, 422, "size-not-offered"),
        ({"size": 52}, 400, "invalid-body"),
        ({"selection": {"gem": "opal"}}, 422, "unknown-value"),
        ({"selection": {"colour": "red"}}, 422, "unknown-option"),
        ({"selection": {"metal": "black-rhodium", "band": "pave"}}, 422, "forbidden-configuration"),
        ({"product": "nothing"}, 404, "unknown-product"),
        ({"product": "\0"}, 404, "unknown-product"),
        ({"product": ""}, 400, "invalid-body"),
        ({"amount": 1}, 400, "invalid-body"),
    ],
)
def test_what_cannot_be_priced_is_refused_with_the_reason(shop, asked, status, problem):
    answer = ask_quote(shop, **asked)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=1e1",
        "limit=%C2%B2",
        "sort=price",
        "cursor=abc",
        "cursor=WyJ0aXRsZSIsICJcdTAwMDAiLCAiYSJd&sort=title",
        "cursor=WyItdXBkYXRlZCIsICIwMDAxLTAxLTAxVDAwOjAwOjAwKzIzOjU5IiwgImEiXQ",
        "colour=red",
        "limit=1&limit=2",
        "q=",
        "q=%00",
        "q=" + "a" * 201,
        "sort=relevance",
        "q=a&cursor=WyJyZWxldmFuY2UiLCAibmFuIiwgImEiXQ",
        "q=a&cursor=WyJyZWxldmFuY2UiLCAieCIsICJhIl0",
    ],
)
def test_a_query_that_is_none_is_refused(shop, query):
    assert shop.get(f"/v1/products?{query}").status_code == 400


def test_pages_show_every_active_product_once_and_no_other(shop, url, tmp_path):
    names = [f"ring-{number:02}" for number in range(25)]
    for name in names:
        # Three titles among them, so that the id has to decide.
        copy_ring(tmp_path / "more", id=name, title=f"Ring {name[-1] in '012'}")
    copy_ring(tmp_path / "more", id="ring-draft", status="draft")
    assert import_folder(url, tmp_path / "more").returncode == 0
    for sort in ("title", "-updated"):
        address, found = f"/v1/products?limit=7&sort={sort}", []
        while address:
            page = shop.get(address).json()
            found += [product["id"] for product in page["products"]]
            address = page["next"]
        assert len(found) == len(set(found))
        assert {*names, RING} <= set(found)
        assert "ring-draft" not in found
    assert shop.get("/v1/products/ring-draft").status_code == 404


def test_an_import_with_one_fault_writes_nothing_and_names_every_fault(shop, url, tmp_path):
    copy_ring(tmp_path / "bad", id="sound")
    copy_ring(tmp_path / "bad", id="unsound", composition="nothing")
    (tmp_path / "bad" / "broken.json").write_text("{")
    said = import_folder(url, tmp_path / "bad")
    assert said.returncode == 1
    assert "Nothing was imported" in said.stderr
    assert "broken.json" in said.stderr
    (tmp_path / "bad" / "broken.json").unlink()
    said = import_folder(url, tmp_path / "bad")
    assert said.returncode == 1
    assert "unsound.json" in said.stderr
    assert shop.get("/v1/products/sound").status_code == 404


def test_what_is_imported_again_keeps_its_revision_and_what_changed_gets_another(
    shop, url, tmp_path
):
    before = shop.get(f"/v1/products/{RING}").json()["revision"]
    assert "0 new, 0 changed" in import_folder(url, PRODUCTS).stdout
    assert shop.get(f"/v1/products/{RING}").json()["revision"] == before
    copy_ring(tmp_path / "new", text="Another text.")
    assert "1 changed" in import_folder(url, tmp_path / "new").stdout
    ring = shop.get(f"/v1/products/{RING}").json()
    assert (ring["revision"], ring["text"]) == (before + 1, "Another text.")
    assert import_folder(url, PRODUCTS).returncode == 0


def test_rates_that_overlap_are_refused(url, tmp_path):
    rate = {"kind": "metal", "key": "tin", "currency": "EUR", "amount": 1}
    starts = ("2026-01-01", "2026-02-01")
    write_rates(tmp_path, [{**rate, "valid_from": f"{start}T00:00:00Z"} for start in starts])
    refused = import_folder(url, tmp_path)
    assert refused.returncode == 1
    assert "metal rates 'tin'" in refused.stderr


def test_a_product_whose_rate_is_missing_is_shown_without_a_price(shop, url, tmp_path):
    ring = msgspec.json.decode((PRODUCTS / f"{RING}.json").read_bytes())
    ring["pricing"]["tax_class"] = "nowhere"
    copy_ring(tmp_path / "dear", id="priceless", pricing=ring["pricing"])
    assert import_folder(url, tmp_path / "dear").returncode == 0
    assert shop.get("/v1/products/priceless").json()["price"] is None
    refused = shop.post("/v1/quotes", json={"product": "priceless"})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/rate-missing")


def test_without_a_database_there_are_no_products_and_pictures_do_not_care(server, client, picture):
    assert client.get("/v1/products").json() == {"products": [], "next": None, "facets": []}
    assert client.get("/v1/products/ring").status_code == 404
    assert client.post("/v1/quotes", json={"product": "ring"}).status_code == 404
    assert client.get(picture()).status_code == 200
    assert client.get("/readyz").json()["status"] == "ready"


async def test_a_product_is_kept_as_it_was_written(url):
    database = Database(url)
    table = ProductTable(database)
    ring = parse_product((PRODUCTS / f"{RING}.json").read_bytes())
    assert (await table.get(RING)).product == ring
    await database.close()


@pytest.mark.parametrize("tag", ["a" * 36, "a-" * 4000, "", "\0", "de_AT", "\u00e9"])
def test_a_language_that_is_none_is_refused_before_anything_is_looked_up(shop, tag):
    for path in ("/v1/products", f"/v1/products/{RING}"):
        answer = shop.get(path, params={"language": tag})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "language")


def test_a_language_is_found_however_it_is_cased(shop):
    quote = ask_quote(shop, language="DE").json()
    assert quote["alt"].startswith("Solit\u00e4rring: 750er Gelbgold")
    assert quote["quote"]["lines"][0]["title"] == "Gold 750"


def test_what_another_release_wrote_is_left_out_of_lists_and_named_where_it_is_asked_for(
    shop, url, tmp_path
):
    copy_ring(tmp_path / "odd", id="odd")
    assert import_folder(url, tmp_path / "odd").returncode == 0
    asyncio.run(
        tell(url, "UPDATE shop.product SET document = document || '{\"new\": 1}' WHERE id = 'odd'")
    )
    assert "odd" not in ids(shop, "/v1/products?limit=100")
    answer = shop.get("/v1/products/odd")
    assert (answer.status_code, answer.json()["type"]) == (502, "/problems/product-unreadable")
    asyncio.run(tell(url, "DELETE FROM shop.product WHERE id = 'odd'"))


def test_a_product_without_a_code_for_its_default_is_listed_without_sku_and_price(shop, url):
    asyncio.run(
        tell(
            url,
            "INSERT INTO shop.product (id, document) SELECT 'codeless', "
            "jsonb_set(jsonb_set(document, '{id}', '\"codeless\"'), "
            "'{options,0,codes}', '{}') FROM shop.product WHERE id = $1",
            RING,
        )
    )
    assert "codeless" in ids(shop, "/v1/products?limit=100")
    shown = shop.get("/v1/products/codeless").json()
    assert (shown["sku"], shown["price"]) == (None, None)
    asyncio.run(tell(url, "DELETE FROM shop.product WHERE id = 'codeless'"))


def test_only_what_a_composition_draws_is_listed_where_it_is_asked_for(shop):
    assert RING in ids(shop, f"/v1/products?limit=100&composition={RING}")
    assert ids(shop, "/v1/products?composition=another") == []
    assert shop.get("/v1/products?composition=%00").status_code == 400


def test_a_new_price_of_gold_is_an_end_and_a_beginning(shop, url, tmp_path):
    rates = msgspec.json.decode((PRODUCTS / "rates.json").read_bytes())
    gold = [rate for rate in rates if rate["key"] == "yellow-gold-18k"]
    *_, last = gold
    now = "2026-11-20T00:00:00Z"
    new = {**last, "valid_from": now, "amount": last["amount"] * 2, "revision": 9}
    write_rates(tmp_path, [*gold[:-1], {**last, "valid_to": now}, new])
    before = ask_quote(shop).json()["quote"]["total_minor"]
    assert import_folder(url, tmp_path).returncode == 0
    wait_until(lambda: ask_quote(shop).json()["quote"]["total_minor"] > before, lambda: "no dearer")
    # A wrong beginning is mended by the right one: the rates of a key are those of the file.
    write_rates(tmp_path, gold)
    assert import_folder(url, tmp_path).returncode == 0
    wait_until(lambda: ask_quote(shop).json()["quote"]["total_minor"] == before, lambda: "dear")


def test_a_shop_that_has_products_is_not_filled_with_the_demo(shop, url):
    done = import_folder(url, PRODUCTS, "--if-empty")
    assert done.returncode == 0
    assert "nothing of" in done.stdout


def test_two_files_of_one_product_are_refused(url, tmp_path):
    copy_ring(tmp_path)
    (tmp_path / "again.json").write_bytes((tmp_path / f"{RING}.json").read_bytes())
    refused = import_folder(url, tmp_path)
    assert refused.returncode == 1
    assert "again.json: id: 'solitaire-ring' is that of another file" in refused.stderr


@pytest.mark.parametrize("instant", ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"])
def test_a_rate_at_the_end_of_time_is_refused(url, tmp_path, instant):
    rate = {"kind": "metal", "key": "tin", "currency": "EUR", "amount": 1}
    write_rates(tmp_path, [{**rate, "valid_from": instant}])
    refused = import_folder(url, tmp_path)
    assert refused.returncode == 1
    assert "is not within the years" in refused.stderr


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("solitaire", "en"),
        ("rings", "en"),
        ("Solit\u00e4rringe", "de"),
        ("SOLITAR", "de"),
        ("solitare", "en"),
        ("engagment", "en"),
        ('"solitaire ring"', "en"),
        ("pave", "en"),
        ("pav\u00e9 -bracelet", "fr"),
        ("solitaire-ring", "xx"),
    ],
)
def test_words_find_what_they_are_about_in_any_spelling(shop, words, language):
    answer = shop.get("/v1/products", params={"q": words, "language": language, "limit": 100})
    assert RING in [product["id"] for product in answer.json()["products"]]


@pytest.mark.parametrize("words", ["bracelet", "xyzzy", "%", "' OR 1=1 --", "&|!", "\ufffd", "*"])
def test_other_words_find_nothing_and_break_nothing(shop, words):
    assert shop.get("/v1/products", params={"q": words}).json()["products"] == []


def test_a_title_counts_for_more_than_a_text_and_pages_show_each_once(shop, url, tmp_path):
    for number in range(9):
        copy_ring(tmp_path, id=f"text-{number}", title="Ring", text="With a moonstone.")
    copy_ring(tmp_path, id="title", title="Moonstone ring")
    assert import_folder(url, tmp_path).returncode == 0
    address, found = "/v1/products?q=moonstone&limit=4", []
    while address:
        page = shop.get(address).json()
        found += [product["id"] for product in page["products"]]
        address = page["next"]
    assert found[0] == "title"
    assert sorted(found) == sorted(["title", *(f"text-{number}" for number in range(9))])
    by_title = ids(shop, "/v1/products?q=moonstone&sort=title&limit=100")
    assert sorted(by_title) == sorted(found)


def test_what_is_found_is_what_is_there_now(shop, url, tmp_path):
    copy_ring(tmp_path, id="turning", title="Labradorite ring")
    assert import_folder(url, tmp_path).returncode == 0
    assert ids(shop, "/v1/products?q=labradorite") == ["turning"]
    copy_ring(tmp_path, id="turning", title="Tourmaline ring")
    assert import_folder(url, tmp_path).returncode == 0
    assert ids(shop, "/v1/products?q=labradorite") == []
    assert ids(shop, "/v1/products?q=tourmaline") == ["turning"]


def ids(shop, address):
    return [product["id"] for product in shop.get(address).json()["products"]]


def write_rates(folder, rates):
    (folder / "rates.json").write_bytes(msgspec.json.encode(rates))


async def tell(url, statement, *values):
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()
