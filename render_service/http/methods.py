"""Which methods an address takes, as the header Allow names them.

The rule: HEAD is taken wherever GET is, by the front door, of which the framework knows nothing.
"""

from litestar.types import Message, Scope


def with_head(headers: dict[str, str]) -> dict[str, str]:
    """HEAD is answered wherever GET is, by the front door; Litestar does not know."""
    name = next((name for name in headers if name.lower() == "allow"), "allow")
    methods = [method.strip() for method in headers.pop(name, "").split(",")]
    if "GET" in methods and "HEAD" not in methods:
        methods.append("HEAD")
    return {**headers, "allow": ", ".join(sorted(methods))}


async def name_methods(message: Message, scope: Scope) -> None:
    """Name every method in an answer to OPTIONS: Litestar names those of one handler."""
    if message["type"] == "http.response.start" and scope.get("method") == "OPTIONS":
        routes = scope["litestar_app"].routes
        asked = [one for one in routes if one.path_format == scope.get("path_template")]
        methods = {method for one in asked for method in getattr(one, "methods", ())}
        if methods:
            allow = with_head({"allow": ", ".join(map(str, methods))})["allow"]
            others = [pair for pair in message["headers"] if pair[0].lower() != b"allow"]
            message["headers"] = [*others, (b"allow", allow.encode("ascii"))]
