"""The real application behind a wrapper that gets one thing wrong: what the checker is tested on.

The rule: a lie changes what is sent, never how the application works; so all else stays right.
"""

import os
from collections import Counter

import uvicorn

from render_service.http.server import create_app


def serve():
    """Serve with the lie that the environment names."""
    lie = LIES[os.environ["LIE"]]
    app = create_app()

    async def lying(scope, receive, send):
        if scope["type"] != "http":
            return await app(scope, receive, send)
        messages = []

        async def keep(message):
            messages.append(message)

        scope = misread(scope) if lie is draws_for_attackers else scope
        await app(scope, receive, keep)
        status, headers = messages[0]["status"], dict(messages[0]["headers"])
        body = b"".join(m.get("body", b"") for m in messages[1:])
        status, headers, body = lie(scope["path"], status, headers, body)
        if b"content-length" in headers and scope["method"] != "HEAD" and status != 304:
            headers[b"content-length"] = str(len(body)).encode()
        head = {"type": "http.response.start", "status": status, "headers": list(headers.items())}
        await send(head)
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(lying, port=int(os.environ["RENDER_PORT"]), log_level="error")


ASKED = Counter()


def is_picture(path, status):
    return path.startswith("/r/") and status == 200


def breaks_down(path, status, headers, body):
    return (500 if is_picture(path, status) else status), headers, body


def sends_away_without_a_word(path, status, headers, body):
    if not is_picture(path, status):
        return status, headers, body
    kept = {b"content-type": b"text/plain", b"content-length": b""}
    return 503, kept, b"busy"


def has_other_bytes_each_time(path, status, headers, body):
    if is_picture(path, status):
        ASKED[path] += 1
        body += b"x" * ASKED[path]
    return status, headers, body


def has_an_etag_for_each_asker(path, status, headers, body):
    if is_picture(path, status):
        ASKED[path] += 1
        headers[b"etag"] = f'"{ASKED[path]}"'.encode()
    return status, headers, body


def sends_half_a_picture(path, status, headers, body):
    return status, headers, body[: len(body) // 2] if is_picture(path, status) else body


def varies(path, status, headers, body):
    if is_picture(path, status):
        headers[b"vary"] = b"Accept"
    return status, headers, body


def says_not_found_in_html(path, status, headers, body):
    if status == 404:
        headers[b"content-type"] = b"text/html"
    return status, headers, body


def is_content_with_anything(path, status, headers, body):
    return (200 if status in (400, 422) else status), headers, body


def draws_for_attackers(path, status, headers, body):
    """What was misread was drawn; the answer is the refusal that is right all the same."""
    if not is_picture(path, status):
        return status, headers, body
    headers = {b"content-type": b"application/problem+json", b"cache-control": b"no-store"}
    return 400, headers, b'{"status":400}'


def misread(scope):
    """Take a width that is not offered for one that is."""
    folder, _, file = scope["path"].rpartition("/")
    if not scope["path"].startswith("/r/") or not file.startswith(("801.", "799.")):
        return scope
    path = f"{folder}/160.webp"
    return {**scope, "path": path, "raw_path": path.encode()}


LIES = {
    lie.__name__: lie
    for lie in (
        breaks_down,
        sends_away_without_a_word,
        has_other_bytes_each_time,
        has_an_etag_for_each_asker,
        sends_half_a_picture,
        varies,
        says_not_found_in_html,
        is_content_with_anything,
        draws_for_attackers,
    )
}
