"""Names for what a plan draws: the key of its rendition, and the revision of the pipeline.

A key is the digest of the whole plan and of nothing else, so equal plans share one rendition and
any difference that could reach a pixel makes another.
"""

import hashlib
from typing import Final, NewType

import msgspec

from render_service.planning.plan import RenderPlan

PIPELINE_REVISION: Final = 2
"""Bumped with any change of pixels for an unchanged plan; goldens live in `tests/golden/r<N>/`."""

RenderKey = NewType("RenderKey", str)
"""`{64 hex digits}.{extension}`: the rendition's name in every store."""

_encoder = msgspec.json.Encoder(order="deterministic")


def derive_key(plan: RenderPlan) -> RenderKey:
    """Return the key of `plan`: SHA-256 of its deterministic JSON, and the file extension."""
    digest = hashlib.sha256(encode_plan(plan)).hexdigest()
    return RenderKey(f"{digest}.{plan.output.format}")


def encode_plan(plan: RenderPlan) -> bytes:
    """Return the plan as deterministic JSON: the preimage of its key, and what `explain` shows."""
    return _encoder.encode(plan)
