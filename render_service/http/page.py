"""The page at `/`: a few files, sent as they are.

The page knows no product: all it shows comes from the JSON API. It may load nothing but itself and
our pictures.
"""

import hashlib
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from render_service.http.caching import is_current

# The one style sheet that OpenSeadragon 6.1.1 writes into the page, about outlines.
_VIEWER_STYLE: Final = "'sha256-9xTiqzfwFaL2SGb1rmr8gysEwVVjIvqWAgmZgqFqpEE='"

_FOLDER: Final = Path(__file__).parent / "page"

_FILES: Final = {
    # Litestar adds the charset to text.
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/price.js": ("price.js", "text/javascript"),
    "/thumbhash.js": ("thumbhash.js", "text/javascript"),
    "/zoom.js": ("zoom.js", "text/javascript"),
    "/openseadragon.min.js": ("openseadragon.min.js", "text/javascript"),
    "/favicon.svg": ("favicon.svg", "image/svg+xml"),
}


def page_routes(public_url: str) -> list[HTTPRouteHandler]:
    """Return the routes of the page's files; pictures may also come from `public_url`."""
    return [
        _route(path, name, media_type, public_url) for path, (name, media_type) in _FILES.items()
    ]


def content_policy(public_url: str) -> str:
    """Return the Content-Security-Policy: ourselves; pictures also from the public address."""
    pictures = f"'self' {public_url}".strip()
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' {_VIEWER_STYLE}; "
        f"img-src {pictures}; "
        f"connect-src {pictures}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _route(path: str, name: str, media_type: str, public_url: str) -> HTTPRouteHandler:
    body = (_FOLDER / name).read_bytes()
    headers = {
        "etag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        # Revalidated at each visit: the names of the files do not change with their content.
        "cache-control": "public, no-cache",
        "content-security-policy": content_policy(public_url),
        "x-content-type-options": "nosniff",
        "referrer-policy": "strict-origin-when-cross-origin",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }

    @get(path, include_in_schema=False, name=f"page {name}")
    async def send_file(request: Request[None, None, State]) -> Response[Any]:
        held = request.headers.get("if-none-match")
        if held is not None and is_current(held, headers["etag"]):
            return Response(content=None, status_code=304, headers=headers)
        return Response(content=body, media_type=media_type, headers=headers)

    return send_file
