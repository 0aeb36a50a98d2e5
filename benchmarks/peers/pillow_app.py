"""A Pillow app: layers opened, scaled and laid over one another for every request. WSGI.

The rule: plain Pillow as its handbook has it. It runs in the peers' own environment, in gunicorn.
"""

import json
import os
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

from PIL import Image

LAYERS = Path(os.environ["PEER_LAYERS"])
PROFILES = json.loads(os.environ["PEER_PROFILES"])
TYPES = {"webp": "image/webp", "avif": "image/avif", "png": "image/png"}

Start = Callable[[str, list[tuple[str, str]]], object]


def app(environ: dict[str, str], start_response: Start) -> Iterable[bytes]:
    """Answer `/512.webp?ground-3,shadow,band-1,prongs-1,stone-7,sparkle`, and `/ready`."""
    if environ["PATH_INFO"] == "/ready":
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]
    side, _, kind = environ["PATH_INFO"].strip("/").partition(".")
    body = _encode(_draw(environ["QUERY_STRING"].split(","), int(side)), kind)
    headers = [("Content-Type", TYPES[kind]), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def _draw(names: list[str], side_px: int) -> Image.Image:
    ground, *others = (_scale(name, side_px) for name in names)
    canvas = ground.convert("RGBA")
    for layer in others:
        canvas.alpha_composite(layer)
    return canvas.convert("RGB")


def _scale(name: str, side_px: int) -> Image.Image:
    with Image.open(LAYERS / f"{name}.png") as image:
        # A gap of two is indistinguishable in quality and a third faster (Pillow's handbook).
        return image.resize((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _encode(image: Image.Image, kind: str) -> bytes:
    out = BytesIO()
    if kind == "webp":
        profile = PROFILES["webp"]
        image.save(out, "WEBP", quality=profile["quality"], method=profile["effort"])
    elif kind == "avif":
        profile = PROFILES["avif"]
        image.save(
            out,
            "AVIF",
            quality=profile["quality"],
            speed=profile["speed"],
            subsampling="4:4:4",
            codec="aom",
            max_threads=1,
            advanced={"tune": "iq"},
        )
    else:
        image.save(out, "PNG", compress_level=1)
    return out.getvalue()
