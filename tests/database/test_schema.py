"""The schema after all migrations is the one that docs/database.md shows."""

import re
from pathlib import Path

import asyncpg
import pytest

from render_service.adapters import (
    activity_table,
    draft_table,
    idempotency_table,
    import_table,
    job_attempts,
    job_table,
    outbox,
    photo_table,
    product_desk,
    product_lists,
    product_table,
    rate_table,
    relay,
    tidying,
    upload_table,
    webhook_table,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "database.md"

COLUMNS = """
SELECT c.relname AS owner, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    a.attnotnull AS needed, a.attgenerated <> '' AS generated,
    pg_get_expr(d.adbin, d.adrelid) AS filled
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind = 'r'
AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""

CONSTRAINTS = """
SELECT conrelid::regclass::text AS owner, conname AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint
WHERE connamespace = 'shop'::regnamespace AND contype <> 'n' ORDER BY 1, 2
"""

INDEXES = """
SELECT tablename AS owner, indexname AS name, indexdef AS definition FROM pg_indexes
WHERE schemaname = 'shop' ORDER BY 1, 2
"""

MODULES = (
    *(
        activity_table,
        draft_table,
        idempotency_table,
        import_table,
        job_attempts,
        job_table,
        outbox,
    ),
    *(product_desk, product_lists, product_table, rate_table, relay, tidying, webhook_table),
    *(photo_table, upload_table),
)
# Few of many: what is found is sorted.
SORTED = ("COUNT", "SPELL", "product_by_traits")
PLAIN = (product_lists, product_table, rate_table)
STATEMENTS = {
    (name if module in PLAIN else f"{module.__name__.rsplit('.')[-1]}.{name}"): value
    for module in MODULES
    for name, value in vars(module).items()
    if name.isupper() and not name.startswith("_") and isinstance(value, str) and "shop." in value
}


@pytest.fixture
async def connection(url):
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def describe(connection):
    """The schema, a line for each column, constraint and index."""
    lines, owner = [], None
    for row in await connection.fetch(COLUMNS):
        if row["owner"] != owner:
            owner = row["owner"]
            lines.append(f"shop.{owner}")
        filled = f" {'=' if row['generated'] else 'default'} {row['filled']}"
        lines.append(
            f"  {row['name']} {row['type']}{' not null' if row['needed'] else ''}"
            f"{filled if row['filled'] else ''}"
        )
    for statement in (CONSTRAINTS, INDEXES):
        lines += [
            f"{row['name']}: {row['definition']}" for row in await connection.fetch(statement)
        ]
    return lines


async def test_the_schema_is_the_one_documented(connection):
    (block,) = re.findall(r"```schema\n(.*?)```", DOCUMENT.read_text(), re.S)
    assert block.splitlines() == await describe(connection)


@pytest.mark.parametrize("name", sorted(STATEMENTS))
async def test_every_statement_fits_the_schema(connection, name):
    await connection.prepare(STATEMENTS[name])


@pytest.mark.parametrize(
    ("name", "index", "values"),
    [
        ("GET", "product_pkey", ("ring-500",)),
        ("LIST_BY_CHANGE", "product_by_change", (None, "zzz", 21, None, "active", None)),
        ("LIST_BY_CHANGE", "product_by_composition", (None, "zzz", 21, "rare", "active", None)),
        ("LIST_BY_CHANGE", "product_by_traits", (None, "zzz", 21, None, "active", "'style=rare'")),
        ("LIST_BY_TITLE", "product_by_title", ("Ring 5", "ring", 21, None, "active", None)),
        ("COUNT", "product_by_change", (["style"], 101, 50, None, "active", None)),
        ("SPELL", "word_by_letters", (["solitare"],)),
    ],
)
async def test_every_hot_statement_uses_its_index(connection, name, index, values):
    await connection.execute(
        "INSERT INTO shop.product (id, document) SELECT id, jsonb_build_object("
        "'id', id, 'title', 'Ring ' || n, 'status', 'active', 'composition', "
        "CASE n % 500 WHEN 0 THEN 'rare' ELSE 'common' END, 'attributes', jsonb_build_object("
        "'style', jsonb_build_array(CASE n % 500 WHEN 0 THEN 'rare' ELSE 'common' END))) "
        "FROM (SELECT n, 'ring-' || n AS id FROM generate_series(1, 5000) n) made"
    )
    await connection.execute(
        "INSERT INTO shop.word SELECT translate(md5(n::text), '0123456789', 'ghijklmnop') "
        "FROM generate_series(1, 5000) n ON CONFLICT DO NOTHING"
    )
    # What was just written waits in a list beside the words' indexes until it is swept in.
    await connection.execute("VACUUM ANALYZE shop.product, shop.word")
    if values[0] is None:
        values = (await connection.fetchval("SELECT now()"), *values[1:])
    plan = await connection.fetch(f"EXPLAIN {STATEMENTS[name]}", *values)
    said = "\n".join(row[0] for row in plan)
    assert index in said
    assert name in SORTED or index in SORTED or "Sort" not in said


@pytest.mark.parametrize(
    ("words", "indexes"),
    [
        ("labradorite", {"product_by_title_words", "product_by_search", "product_by_change"}),
        ("ring", {"product_by_title_words", "product_by_change"}),
        ("ring -ring", {"product_by_title_words", "product_by_search", "product_by_change"}),
    ],
)
async def test_a_search_never_reads_every_product(connection, words, indexes):
    await connection.execute(
        "INSERT INTO shop.product (id, document) SELECT id, jsonb_build_object("
        "'id', id, 'title', 'Ring ' || n, 'status', 'active', 'composition', 'ring') "
        "FROM (SELECT n, 'ring-' || n AS id FROM generate_series(1, 5000) n) made"
    )
    await connection.execute("VACUUM ANALYZE shop.product")
    before = await scans(connection)
    found = "SELECT shop.found(shop.query(ARRAY[$1], 'en'), 'active', NULL, NULL)"
    await connection.fetch(found, words)
    after = await scans(connection)
    assert {name for name in after if after[name] > before[name]} >= indexes
    assert after["product"] == before["product"]


async def scans(connection):
    """How often each index was used, and the table was read from end to end."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    rows = await connection.fetch(
        "SELECT indexrelname AS name, idx_scan AS scans FROM pg_stat_user_indexes "
        "UNION ALL SELECT relname, seq_scan FROM pg_stat_user_tables"
    )
    return {row["name"]: row["scans"] for row in rows}


@pytest.mark.parametrize(
    ("name", "index", "values"),
    [
        ("job_table.GET", "job_pkey", ("00000000-0000-4000-8000-000000000001",)),
        ("job_table.FIND_LIVE", "job_is_one_of_its_key", ("render", "7")),
        ("job_table.LIST", "job_by_time", (None, None, None, None, 21)),
        ("job_table.LIST", "job_by_status", ("failed", None, None, None, 21)),
        ("job_table.LIST", "job_by_kind", (None, "tidy", None, None, 21)),
        ("outbox.CLAIM", "outbox_to_be_sent", (100,)),
    ],
)
async def test_every_hot_statement_of_jobs_uses_its_index(connection, name, index, values):
    await connection.execute(
        "INSERT INTO shop.job (kind, payload, key, status, ordered_by, created_at, ended_at) "
        "SELECT CASE n % 1000 WHEN 0 THEN 'tidy' ELSE 'render' END, '{}', n::text, "
        "CASE n % 1000 WHEN 1 THEN 'failed' ELSE 'done' END, 'x', now() - n * interval '1 s', now()"
        " FROM generate_series(1, 5000) n"
    )
    await connection.execute(
        "INSERT INTO shop.outbox (topic, subject, payload, caused_by, sent_at) SELECT "
        "'job', 'x', '{}', 'x', CASE WHEN n > 10 THEN now() END FROM generate_series(1, 5000) n"
    )
    await connection.execute("VACUUM ANALYZE shop.job, shop.outbox")
    plan = await connection.fetch(f"EXPLAIN {STATEMENTS[name]}", *values)
    said = "\n".join(row[0] for row in plan)
    assert index in said
    assert "Sort" not in said


async def test_of_many_old_rates_only_those_that_count_are_read(connection):
    await connection.execute(
        "INSERT INTO shop.rate (kind, key, currency, amount, valid_from, valid_to) "
        "SELECT 'metal', 'gold', 'EUR', 1, day, day + interval '1 day' "
        "FROM generate_series(timestamptz '2010-01-01', '2020-01-01', interval '1 day') day"
    )
    await connection.execute("ANALYZE shop.rate")
    plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {STATEMENTS['RATES']}"))
    assert "rate_by_end" in plan


@pytest.mark.parametrize(
    ("name", "index", "values"),
    [
        ("COUNT_OPEN", "upload_open", ("me",)),
        ("LIST_TO_CLEAR", "upload_to_clear", (600, 100)),
        ("FORGET", "upload_by_end", (10**8,)),
        ("GET_UPLOAD", "upload_pkey", ("0" * 8 + "-0000-0000-0000-" + "0" * 12,)),
        ("GET_ASSET", "asset_pkey", ("0" * 64,)),
    ],
)
async def test_every_hot_statement_of_uploads_uses_its_index(connection, name, index, values):
    await connection.execute(
        "INSERT INTO shop.upload (announced, uploaded_by, status, is_cleared, expires_at, ended_at)"
        " SELECT '{}', 'x', CASE n % 1000 WHEN 0 THEN 'waiting' ELSE 'accepted' END, n % 1000 > 1, "
        "now() - interval '1 day', CASE WHEN n % 1000 > 0 THEN now() END "
        "FROM generate_series(1, 5000) n"
    )
    await connection.execute(
        "INSERT INTO shop.asset (sha256, bytes, facts, kinds, name, uploaded_by) SELECT "
        "encode(sha256(n::text::bytea), 'hex'), 1, '{}', '{layer}', 'x', 'x' "
        "FROM generate_series(1, 5000) n"
    )
    await connection.execute("VACUUM ANALYZE shop.upload, shop.asset")
    plan = await connection.fetch(f"EXPLAIN {STATEMENTS[f'upload_table.{name}']}", *values)
    assert index in "\n".join(row[0] for row in plan)
