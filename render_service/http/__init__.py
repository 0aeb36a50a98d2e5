"""The HTTP driver; the only home of Litestar."""
