"""The service as an origin that writes down every request it gets, before it answers it.

Three headers of a request, which an edge passes on like any other, are for the tests: `x-max-age`
shortens the freshness of the answer, `x-hold` delays it (both in seconds), `x-refuse` has the
origin say that it is overloaded.
"""

import asyncio
import json
import os
import re
from pathlib import Path

from render_service.environment import read_settings
from render_service.errors import Overloaded
from render_service.http import server
from render_service.http.problems import describe_error
from render_service.http.protocol import HEAD
from render_service.http.replies import send_problem
from tests.edge.edges import requests_of

HEALTH = "/readyz"
_NOTED = ("accept", "cookie", "if-none-match", "range")


def main():
    """Serve as `render-service serve` does, with the application wrapped."""
    server._FACTORY = "tests.edge.origin:create_app"
    server.serve(read_settings(os.environ))


def create_app():
    app = server.create_app()
    book = requests_of(Path(os.environ["RENDER_DATA"]))

    async def written_down(scope, receive, send):
        if scope["type"] != "http" or scope["path"] == HEALTH:
            return await app(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        noted = {name: headers[name] for name in _NOTED if name in headers}
        url = scope["raw_path"].decode() + (b"?" * bool(scope["query_string"])).decode()
        entry = {
            "method": scope["method"],
            "url": url + scope["query_string"].decode(),
            **noted,
        }
        with book.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        await asyncio.sleep(float(headers.get("x-hold", 0)))
        if "x-refuse" in headers:
            return await send_problem(send, describe_error(Overloaded(1), scope["path"]))
        await app(scope, receive, _shortened(send, headers.get("x-max-age")))

    return written_down


def _shortened(send, max_age_s):
    if max_age_s is None:
        return send

    async def shortened(message):
        if message["type"] == "http.response.start":
            headers = [
                (name, re.sub(rb"max-age=\d+", b"max-age=%b" % max_age_s.encode(), value))
                if name == b"cache-control"
                else (name, value)
                for name, value in message["headers"]
            ]
            message = {**message, "headers": headers, HEAD: None}
        await send(message)

    return shortened
