"""Every knob, one line each.

A field of `Settings` is the whole declaration of a setting: its variable is `RENDER_` and the name
in capitals, and default, unit, range and meaning stand beside it; parsing, refusing
(environment.py) and docs/settings.md follow from that line.
"""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from render_service.knobs import choice, folder, number, text
from render_service.planning.iiif_part import IiifPolicy
from render_service.telemetry.logs import LogFormat
from render_service.telemetry.running import AccessLog

MIB: Final = 2**20
GIB: Final = 2**30
TIB: Final = 2**40
PIB: Final = 2**50
DAY_S: Final = 24 * 60 * 60
CORES: Final = len(os.sched_getaffinity(0))

_CORES: Final = "one per core, at most 8"
# What may stand in a header, a Link and a policy without a word: ASCII, and no delimiter of theirs.
_BASE: Final = r"(https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~%/\-]*[A-Za-z0-9_~\-])?)?"
EMBEDDED: Final = "embedded"
_REDIS: Final = r"(embedded|(rediss?|unix)://\S+)?"
# A name of a bucket as Amazon takes it, or anything that is no URL.
_RELEASES: Final = r"(s3://[a-z0-9.-]{3,63}|(?!\w+://)[^\0]*)"
_QUEUE: Final = r"((rediss?|unix)://\S+)?"
_DATABASE: Final = r"(embedded|postgres(ql)?://\S+)?"
_SERVER: Final = r"(postgres(ql)?://\S+)?"

SAME: Final = "same"
OFF: Final = "off"
_ADDRESS: Final = r"same|off|(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.\-]{1,253}):[0-9]{1,5}"
_KEYS: Final = (
    r"([A-Za-z0-9_-]{1,32}:[A-Za-z0-9_-]{43}=?(,[A-Za-z0-9_-]{1,32}:[A-Za-z0-9_-]{43}=?)?)?"
)


class LogLevel(StrEnum):
    """How much is logged: each level includes those after it."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


# Where the numbers come from:
# workers, render_threads: rendering is bound by the processor; a second thread in each process
#   encodes while the first waits for a file or for the interpreter.
# queue_s: a page waits 3 s for its pictures before half of its visitors leave (Google, 2016), and
#   the layers of a view nobody has seen take 1 s to decode.
# deadline_s: within the 15 s that Fastly waits for a first byte, the shortest of the large CDNs;
#   beyond it nobody is there to be answered.
# render_nice: the kernel gives such a thread a tenth of a core that the event loop wants, too.
# webp_first_s: beyond a second a wait is felt as one (Nielsen, Usability Engineering, 1993).
# ahead: the demo's ring has 15 neighbours; 24 at 0.1 s each are drawn between two clicks.
# memory_tier_bytes: at 50 to 100 kB a picture, some 3,000 of them in each process.
# releases_poll_s: news come at once where there is a Redis; without, this is how long a shop waits.
# releases_timeout_s: the largest layer file, 64 MiB, at 30 Mbit/s.
# kept_assets_bytes: some 500 rings of the demo's size.
# redis_timeout_s: a store on the same network answers in a few; a render takes several times 50.
# redis_expiry_s: for space only, as nothing kept there is ever wrong: a month of unasked pictures.
# redis_value_bytes_max: 3072 × 2304 as AVIF or WebP stays under it; the PNG goes to files alone.
# s3_timeout_s: first bytes come after some 30 ms, seldom 200; beyond that, drawing is as fast.
# database_connections: half of what a server of 100 takes, at six processes of one machine.
# database_wait_s: a connection is made in some 10 ms; beyond a second a wait is felt as one.
# database_statement_s: the slowest statement of a list takes milliseconds (docs/database.md).
# job_lock_s: as BullMQ has it; renewed four times in that time.
# lease_s: renewed three times in that time, so a process may be held up for 3 s and keep its turn.
# breaker_pause_s: one request each 2 s waits for a store that is away, the others not at all.
# raster_cache_bytes: a 1600² layer of three 16-bit bands is 15 MB; a view of a ring shows six.
# raster_store_bytes: both views of the demo's ring, decoded and in the ladder's sizes, are 0.9 GB.
# asset_bytes_max, canvas_pixels_max, layers_max: the art of the demo catalogue is under 60 MB in
#   all and 1600² a view; the ladder ends at 3072; the limits leave room and still bound the work.
# otlp_interval_s: as OpenTelemetry has it (OTEL_METRIC_EXPORT_INTERVAL).
# trace_ratio, trace_forced_per_s: docs/decisions/0071-traces.md.
# graceful_stop_s: Kubernetes kills 30 s after it asked (terminationGracePeriodSeconds); 5 to spare.
# A dataclass, because a Struct's field cannot carry its knob beside its default.
@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every knob of the service, checked; docs/settings.md is generated from these lines."""

    catalogue: str = text(
        "", "folder", r"[^\0]*", "a path; empty: the live release", "Served unpublished, as it is."
    )
    releases: str = text(
        "",
        "store",
        _RELEASES,
        "a folder, or s3://bucket; empty: `published` in RENDER_DATA",
        "Where `publish` publishes to, and `serve` serves from.",
    )
    releases_poll_s: float = number(2.0, "seconds", 0.05, 3600, "Between looks for a new release.")
    releases_timeout_s: float = number(20.0, "seconds", 0.1, 600, "A call of that bucket may take.")
    uploads: str = text(
        "",
        "store",
        _RELEASES,
        "a folder, or s3://bucket; empty: `uploads` in RENDER_DATA",
        "Where uploaded files wait for their check.",
    )
    kept_assets_bytes: int = number(10 * GIB, "bytes", 0, PIB, "Layer files kept of that bucket.")
    data: Path = folder(".data", "Where finished pictures are kept; made if it is not there.")
    host: str = text("127.0.0.1", "address", r"\S{1,253}", "a name or address", "To listen on.")
    port: int = number(8000, "port", 0, 65_535, "To listen on; 0 takes a free one.")
    public_url: str = text(
        "", "URL", _BASE, "http(s)://… in ASCII, without a final /", "Starts our URLs."
    )
    iiif: IiifPolicy = choice(
        IiifPolicy.FINITE,
        "`open`: deep zoom of any region and size, unsigned; else what is listed.",
    )
    signing_keys: str = text(
        "",
        "keys",
        _KEYS,
        "id:base64url of 32 bytes, one or two, joined by a comma",
        "The first one signs, all verify; `render-service keys make` prints one.",
        secret=True,
    )
    api_tokens: str = text(
        "",
        "tokens",
        r"([^\s,]+(,[^\s,]+)*)?",
        "name:token[:scope+scope], joined by commas",
        "Programs that may write; `render-service keys token NAME` makes one.",
        secret=True,
    )
    workers: int = number(min(CORES, 8), "processes", 1, 64, "That serve.", default=_CORES)
    render_threads: int = number(2, "renders", 1, 64, "Drawn at once by each process.")
    render_nice: int = number(10, "niceness", 0, 19, "Render threads give way to answers.")
    queue_s: float = number(3.0, "seconds", 0, 600, "A request may expect to wait to be drawn.")
    deadline_s: float = number(10.0, "seconds", 0.1, 600, "From asking to a picture drawn for it.")
    webp_first_s: float = number(
        1.0, "seconds", 0, 600, "An AVIF that would take longer gives way to WebP; 0: never."
    )
    ahead: int = number(
        24, "pictures", 0, 256, "Drawn ahead of the next click, while idle, at most; 0: none."
    )
    memory_tier_bytes: int = number(256 * MIB, "bytes", 0, TIB, "Pictures held by each process.")
    file_tier_bytes: int = number(10 * GIB, "bytes", 0, PIB, "Pictures kept on disk; 0 is none.")
    redis_url: str = text(
        "",
        "URL",
        _REDIS,
        "redis://…, rediss://…, unix://…, or `embedded`",
        "Where pictures are shared; `embedded`: `serve` starts a Valkey of its own.",
        secret=True,
    )
    redis_timeout_s: float = number(0.05, "seconds", 0.001, 60, "A look into Redis may take.")
    redis_expiry_s: int = number(30 * DAY_S, "seconds", 1, 3650 * DAY_S, "Kept in Redis.")
    redis_value_bytes_max: int = number(4 * MIB, "bytes", 0, GIB, "Largest picture in Redis.")
    database_url: str = text(
        "",
        "URL",
        _DATABASE,
        "postgresql://…, or `embedded`; empty: no products",
        "Of products and prices; `embedded`: `serve` starts a PostgreSQL of its own.",
        secret=True,
    )
    database_replica_url: str = text(
        "", "URL", _SERVER, "postgresql://…", "Answers reads that may be stale.", secret=True
    )
    database_direct_url: str = text(
        "",
        "URL",
        _SERVER,
        "postgresql://…; empty: RENDER_DATABASE_URL",
        "For `migrate`, past a PgBouncer.",
        secret=True,
    )
    database_connections: int = number(8, "connections", 1, 200, "Of each process, to each server.")
    database_wait_s: float = number(1.0, "seconds", 0.01, 60, "A connection is waited for.")
    database_statement_s: float = number(5.0, "seconds", 0.1, 600, "A statement may take.")
    queue_url: str = text(
        "",
        "URL",
        _QUEUE,
        "redis://…, rediss://… or unix://…; empty: RENDER_REDIS_URL",
        "Of background work; must not remove what it keeps (`noeviction`, or `volatile-…`).",
        secret=True,
    )
    job_lock_s: float = number(30.0, "seconds", 1, 600, "A silent worker loses its jobs after.")
    webhook_networks: str = text(
        "",
        "networks",
        r"([0-9A-Fa-f.:/]+(, ?[0-9A-Fa-f.:/]+)*)?",
        "as 10.0.0.0/8,fd00::/8; empty: public addresses only",
        "Not public, and told of events nevertheless, also by http.",
    )
    smtp_url: str = text(
        "",
        "URL",
        r"(smtps?://\S+)?",
        "smtp(s)://user:password@host:port; empty: `mail` in RENDER_DATA",
        "Sends mail; with a password always encrypted.",
        secret=True,
    )
    mail_from: str = text(
        "", "address", r"([^@\s]{1,64}@[A-Za-z0-9.-]{1,189})?", "name@host", "Of mail that is sent."
    )
    quote_s: int = number(DAY_S, "seconds", 60, 90 * DAY_S, "A quote's price holds.")
    draft_preview_s: int = number(
        7 * DAY_S, "seconds", 60, 90 * DAY_S, "Addresses of a draft's pictures hold."
    )
    s3_bucket: str = text("", "bucket", r"([a-z0-9.-]{3,63})?", "a name", "Keeps pictures in S3.")
    s3_endpoint: str = text("", "URL", _BASE, "http(s)://…; empty is Amazon's", "Of the bucket.")
    s3_timeout_s: float = number(0.2, "seconds", 0.001, 60, "A look into the bucket may take.")
    lease_s: float = number(5.0, "seconds", 0.1, 60, "A dead process is replaced by another.")
    breaker_pause_s: float = number(2.0, "seconds", 0.01, 3600, "A failing store is left alone.")
    raster_cache_bytes: int = number(512 * MIB, "bytes", 0, TIB, "Layers held by each process.")
    raster_store_bytes: int = number(
        4 * GIB, "bytes", 0, PIB, "Layers kept on disk, shared by all processes; 0 is none."
    )
    asset_bytes_max: int = number(64 * MIB, "bytes", 1, 4 * GIB, "Largest layer file read.")
    canvas_pixels_max: int = number(4096**2, "pixels", 1, 2**28, "Largest canvas drawn.")
    layers_max: int = number(64, "layers", 1, 1024, "Most layers in one picture.")
    graceful_stop_s: float = number(25.0, "seconds", 0, 3600, "To finish requests when stopped.")
    log_level: LogLevel = choice(LogLevel.INFO, "Least level that is logged.")
    log_format: LogFormat = choice(LogFormat.TEXT, "Of log lines: for people, or for programs.")
    access_log: AccessLog = choice(AccessLog.OFF, "Requests that have a log line.")
    metrics_address: str = text(
        SAME,
        "address",
        _ADDRESS,
        "host:port, `same` as pictures, or `off`",
        "Where Prometheus reads `/metrics`.",
    )
    metrics_folder: str = text(
        "",
        "folder",
        r"[^\0]*",
        "a path; empty is a new one in memory",
        "Where processes of one service count together; `serve` sees to it.",
    )
    otlp_endpoint: str = text(
        "", "URL", _BASE, "http(s)://…; empty sends nothing", "Collector of traces and metrics."
    )
    otlp_interval_s: float = number(60.0, "seconds", 0.1, 3600, "Between two sendings of metrics.")
    trace_ratio: float = number(0.001, "share", 0, 1, "Of requests that are traced by chance.")
    trace_forced_per_s: float = number(
        10.0, "requests", 0, 10_000, "A second, traced because their caller says so."
    )
