"""From plan to rendition. Async; no client libraries."""
