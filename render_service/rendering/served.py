"""What comes of asking for a rendition: the picture, how it was come by, where the time went.

Plain facts, made once by the service and shown by whoever answers.
"""

from msgspec import Struct

from render_service.rendering.rendition import Rendition


class Timings(Struct, frozen=True, kw_only=True):
    """Where the time of one render went, in milliseconds.

    Attributes:
        queue_ms: Waiting for a render thread.
        fetch_ms: Reading the layer files that were not at hand.
        compose_ms: Decoding, scaling, painting and drawing.
        encode_ms: Encoding.
        store_ms: Keeping it in memory and handing it to the tiers, which store behind the answer.
    """

    queue_ms: float
    fetch_ms: float
    compose_ms: float
    encode_ms: float
    store_ms: float

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        """The stages in their order, each with its milliseconds."""
        return (
            ("queue", self.queue_ms),
            ("fetch", self.fetch_ms),
            ("compose", self.compose_ms),
            ("encode", self.encode_ms),
            ("store", self.store_ms),
        )

    @property
    def server_timing(self) -> str:
        """As in Server-Timing."""
        return ", ".join(f"{stage};dur={took_ms:.1f}" for stage, took_ms in self.stages)


class Served(Struct, frozen=True, kw_only=True):
    """A rendition and how it was come by.

    Attributes:
        rendition: The picture.
        source: `memory`, the name of a tier, or `render` for one made now.
        stored: Whether one made now is kept anywhere.
        collapsed: Whether it came from a flight that was already under way.
        timings: Of the render, for one made now.
        move: Whether its client's next picture would be begun sooner by another process.
    """

    rendition: Rendition
    source: str
    stored: bool = False
    collapsed: bool = False
    timings: Timings | None = None
    move: bool = False
