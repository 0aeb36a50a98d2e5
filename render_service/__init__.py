"""Composes jewellery configurations on demand, and serves them as immutable pictures.

The package is a library with drivers (HTTP, command line); `docs/architecture.md` is the map.
"""
