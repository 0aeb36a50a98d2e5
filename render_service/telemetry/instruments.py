"""Every count of the service: its name, unit, labels and meaning, in one table.

docs/metrics.md is generated from here. Names, units and buckets of what OpenTelemetry's semantic
conventions know are theirs (HTTP and process metrics, version 1.37); the rest begins with
`render_service.`. A label says one of few values, whatever is asked for.
"""

from typing import Final

from render_service.telemetry.kinds import OTHER, Counter, Gauge, Histogram, Instrument, Label

METHODS: Final = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
)
"""The methods that semantic conventions know by default; any other is `_OTHER`."""

SCHEMES: Final = frozenset(("http", "https"))

REQUEST_BOUNDS_S: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
"""As the conventions have it for `http.server.request.duration`."""

STAGE_BOUNDS_S: Final = (*(0.001, 0.0025), *REQUEST_BOUNDS_S)
"""A stage may be a look into memory: two buckets more below."""

CLIENT_GONE: Final = "client_gone"

_METHOD: Final = Label(name="http.request.method", values="a method of HTTP, or `_OTHER`")
_SCHEME: Final = Label(name="url.scheme", values="`http`, `https`")
_ROUTE: Final = Label(name="http.route", values="the template of the path, or `_OTHER`")
_FORMAT: Final = Label(name="render_service.format", values="`avif`, `webp`, `jpg`, `png`")
_TIER: Final = Label(name="render_service.tier", values="`memory`, `redis`, `file`, `s3`")
_POOL: Final = Label(name="db.client.connection.pool.name", values="`primary`, `replica`")
_STORE: Final = Label(name="render_service.store", values="a tier, `lease`, or `changes`")

requests: Final = Histogram(
    "http.server.request.duration",
    "s",
    "Requests, from the moment their head was read until their answer was handed to the network.",
    _METHOD,
    _ROUTE,
    Label(name="http.response.status_code", values="the status; none if the client left before"),
    _SCHEME,
    Label(name="error.type", values="the status from 500 on, `client_gone`, or none"),
    bounds=REQUEST_BOUNDS_S,
)
active_requests: Final = Gauge(
    "http.server.active_requests",
    "{request}",
    "Requests that are being answered.",
    _METHOD,
    _SCHEME,
)
sent: Final = Counter(
    "render_service.http.sent", "By", "Bytes of bodies handed to the network.", _ROUTE
)
refused: Final = Counter(
    "render_service.http.refused",
    "{request}",
    "What was sent and is no request: too long, too slow, or not HTTP. Not among the requests.",
    Label(name="http.response.status_code", values="the status it was refused with"),
)
shed: Final = Counter(
    "render_service.shed",
    "{request}",
    "Requests answered 503 because they could not be served in time.",
    Label(name="render_service.reason", values="`queue`, `deadline`, `others`, `late`; `releases`"),
)
stages: Final = Histogram(
    "render_service.render.duration",
    "s",
    "Where the time of renders went.",
    Label(
        name="render_service.stage",
        values="`queue` (waiting), `fetch` (layer files), `compose`, `encode`, `store`",
    ),
    _FORMAT,
    bounds=STAGE_BOUNDS_S,
)
renders: Final = Counter(
    "render_service.renders",
    "{render}",
    "Pictures drawn, or given up while they were.",
    _FORMAT,
    Label(name="render_service.result", values="`made`, or the name of the error"),
)
ahead: Final = Counter(
    "render_service.ahead",
    "{picture}",
    "Pictures made because they may be asked for next. A process knows of its own alone.",
    Label(
        name="render_service.result",
        values="`made`; of these `asked for` (once each, of who made it); `found` in a store; "
        "`failed`",
    ),
)
coalesced: Final = Counter(
    "render_service.coalesced",
    "{request}",
    "Requests that waited for another's render instead of beginning one.",
    Label(name="render_service.scope", values="`process`, or `fleet`: another process drew it"),
)
lookups: Final = Counter(
    "render_service.cache.lookups",
    "{lookup}",
    "Looks for a finished picture.",
    _TIER,
    Label(name="render_service.result", values="`hit`, `miss`, `unavailable`"),
)
stores: Final = Counter(
    "render_service.cache.stores",
    "{picture}",
    "Finished pictures put into a tier.",
    _TIER,
    Label(
        name="render_service.result",
        values="`stored`, `unavailable`, `dropped` (too many waited), `given up` (in the end)",
    ),
)
stored: Final = Counter(
    "render_service.cache.stored", "By", "Bytes of pictures put into a tier.", _TIER
)
rasters: Final = Counter(
    "render_service.rasters.lookups",
    "{lookup}",
    "Looks for a layer that is at hand, by how far it is done.",
    Label(
        name="render_service.result",
        values="`painted`, `scaled`, `decoded`, `mapped` (from the store), `miss`",
    ),
)
held_bytes: Final = Gauge(
    "render_service.held",
    "By",
    "Bytes held in the memory of processes.",
    Label(
        name="render_service.kind",
        values="`renditions` (pictures), `rasters` (layers), `storing` (pictures to be stored)",
    ),
)
queue: Final = Gauge(
    "render_service.queue.cost",
    "s",
    "Expected seconds of render threads, of pictures that wait for one.",
    Label(name="render_service.kind", values="`waiting`, and `bound`: where refusing begins"),
)
flights: Final = Gauge("render_service.flights", "{picture}", "Pictures being found or drawn.")
breakers: Final = Gauge(
    "render_service.breaker.state",
    "{process}",
    "Processes whose breaker in front of a store is in a state.",
    _STORE,
    Label(name="render_service.call", values="`read`, `write`, `claim`, `count`"),
    Label(name="render_service.state", values="`closed`, `half-open`, `open`"),
)
database_wait: Final = Histogram(
    "db.client.connection.wait_time",
    "s",
    "How long work waited for a connection to the database: for a free one, or for a new one.",
    _POOL,
    bounds=STAGE_BOUNDS_S,
)
database_use: Final = Histogram(
    "db.client.connection.use_time",
    "s",
    "How long work then kept the connection.",
    _POOL,
    bounds=STAGE_BOUNDS_S,
)
database_timeouts: Final = Counter(
    "db.client.connection.timeouts",
    "{timeout}",
    "Work that found no free connection in time.",
    _POOL,
)
jobs: Final = Counter(
    "render_service.jobs",
    "{attempt}",
    "Attempts at jobs of background work that came to an end.",
    Label(name="render_service.kind", values="the kind of the job"),
    Label(
        name="render_service.result",
        values="`done`, `again` (it failed and is tried again), `parked` (it failed for good), "
        "`cancelled`, `lost` (another attempt had it), `given back`",
    ),
)
loop_lag: Final = Histogram(
    "render_service.loop.lag",
    "s",
    "How late the event loop was at something due each second: what holds up every request.",
    bounds=STAGE_BOUNDS_S,
)
cpu_time: Final = Counter(
    "process.cpu.time",
    "s",
    "Time of the processor that processes took.",
    Label(name="cpu.mode", values="`user`, `system`"),
)
memory_usage: Final = Gauge("process.memory.usage", "By", "Physical memory that processes take.")
open_files: Final = Gauge(
    "render_service.process.open_files", "{file}", "Files and sockets that are open."
)
workers: Final = Gauge(
    "render_service.workers",
    "{process}",
    "Processes that serve; found by who is asked, not counted by themselves.",
    Label(name="render_service.state", values="`alive`, `silent` (has not beaten for 10 s)"),
)
workers_ended: Final = Counter(
    "render_service.workers.ended",
    "{process}",
    "Processes that have ended while the service ran, however they did; found likewise.",
)

TABLE: Final[tuple[Instrument, ...]] = (
    *(requests, active_requests, sent, refused, shed),
    *(renders, stages, coalesced, ahead, queue, flights),
    *(lookups, stores, stored, breakers, held_bytes, rasters),
    *(database_wait, database_use, database_timeouts, jobs),
    *(workers, workers_ended, loop_lag, cpu_time, memory_usage, open_files),
)
"""All of them, in the order of the documentation."""


def method_label(method: str) -> str:
    """Return what the label of a method says; unknown ones are all the same."""
    return method if method in METHODS else OTHER


def scheme_label(scheme: str) -> str:
    """Return what the label of a scheme says."""
    return scheme if scheme in SCHEMES else OTHER
