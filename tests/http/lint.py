"""httplint, the checker of REDbot, over whole exchanges as they went over the wire."""

import http.client
import time
from urllib.parse import urlsplit

from httplint import HttpRequestLinter, HttpResponseLinter, levels

# What the linter says and we mean, each with the reason. Anything else that is a warning, or worse,
# fails.
ALLOWED = {
    "STORE_PUBLIC_UNNECESSARY": (
        "`public` is for shared caches in front of which somebody logs in, such as a staging site:"
        " without it no answer to a request with Authorization may be kept."
    ),
    "STATUS_BAD_REQUEST": "Says what 400 means; it is said of every 400.",
}
# The linter's sniffer knows no AVIF, and takes its container for the one of MP4.
ALLOWED_OF_AVIF = {"CONTENT_TYPE_MISMATCH": "Sniffed as another file of the ISO base media format."}


def complaints(url, method="GET", headers=None, body=None):
    """Make a request and return the status and what the linter has against the answer."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    sent = {"Host": parts.netloc, "User-Agent": "tests", **(headers or {})}
    wire = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        wire.request(method, target, body=body, headers=sent)
        answer = wire.getresponse()
        content = answer.read()
    finally:
        wire.close()
    linter = HttpResponseLinter(start_time=time.time())
    linter.base_uri = url
    linter.request = _request(method, target, sent)
    linter.is_head_response = method == "HEAD"
    linter.process_response_topline(
        b"HTTP/1.1", str(answer.status).encode(), answer.reason.encode()
    )
    linter.process_headers(_raw(answer.getheaders()))
    linter.feed_content(content)
    linter.finish_content(True)
    allowed = {*ALLOWED, *(ALLOWED_OF_AVIF if parts.path.endswith(".avif") else ())}
    notes = [note for note in linter.notes if note.level in (levels.WARN, levels.BAD)]
    said = [f"{type(note).__name__}: {note.summary}" for note in notes]
    return answer.status, [line for line in said if line.partition(":")[0] not in allowed]


def _request(method, target, headers):
    linter = HttpRequestLinter()
    linter.process_request_topline(method.encode(), target.encode(), b"HTTP/1.1")
    linter.process_headers(_raw(headers.items()))
    linter.finish_content(True)
    return linter


def _raw(headers):
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
