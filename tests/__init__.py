"""The tests. The package comes first: it writes what BLAS reads when numpy is loaded."""

import render_service.pixels  # noqa: F401
