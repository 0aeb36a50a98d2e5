"""Whatever is asked, the routes answer with a status of the contract, never with a fault."""

import asyncio
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.http.alias import AliasRoute
from render_service.http.images import ImageRoute
from render_service.releases.live import LivePlanner
from tests.rendering.builders import Workshop

PARTS = st.one_of(
    st.sampled_from(
        [
            "ring", "hero", "hero:stone", "top", "0123456789", "-", "metal=gold", "160.webp",
            "metal=silver,gem=sapphire", "metal=gold,metal=gold", "160.auto", "9.gif", "..", "",
        ]
    ),
    st.text(max_size=12),
)  # fmt: skip
PATHS = st.lists(PARTS, max_size=8).map("/".join)
QUERIES = st.one_of(
    st.just(""), st.text(max_size=20).map(quote), st.sampled_from(["metal=silver", "a=b&a=c"])
)


@pytest.fixture(scope="module")
def planned(catalogue):
    return Workshop(catalogue)


def ask(route, path, query, method="GET"):
    """The status and body that the route gives to `path`, spelt as a client would."""
    raw = quote(path, safe="/=,:", errors="replace").encode()
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": raw,
        "query_string": query.encode(),
        "headers": [(b"accept", b"image/avif")],
    }
    asyncio.run(route(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


@given(path=PATHS, query=QUERIES)
def test_the_image_route_has_an_answer_to_any_path(planned, path, query):
    route = ImageRoute(planner=LivePlanner(planned.planner), service=planned.service)
    status, body = ask(route, f"/r/{path}", query)
    assert status in (308, 400, 404, 422)
    assert len(body) < 4000


@given(path=PATHS, query=QUERIES)
def test_the_alias_has_an_answer_to_any_path(planned, path, query):
    route = AliasRoute(planner=planned.planner, service=planned.service)
    status, body = ask(route, f"/img/{path}", query)
    assert status in (302, 400, 404, 422)
    assert len(body) < 4000
